using Forerun.Cli.Running;
using Forerun.Core.Decoding;
using Forerun.Edge;
using Forerun.Inference.Drafting;
using Forerun.Inference.Tokenization;

namespace Forerun.Cli.Comparing;

/// <summary>The edge of a comparison, connected over one link. Disposing closes the connection.</summary>
/// <param name="verifier">Reaches the target.</param>
/// <param name="drafter">Drafts; the caller keeps owning it.</param>
/// <param name="tokenizer">The drafter's.</param>
/// <param name="targetId">The target.</param>
/// <param name="link">Closed with the connection; null = none.</param>
internal sealed class CompareEdge(
    IVerifier verifier, IDrafter drafter, Tokenizer tokenizer, string targetId, IAsyncDisposable? link = null) : IAsyncDisposable
{
    /// <summary>Runs one generation.</summary>
    /// <param name="request">What to generate.</param>
    /// <param name="draftLength">Tokens drafted per round; null where nobody drafts.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<GenerationReport> RunAsync(
        GenerationRequest request, int? draftLength, CancellationToken cancellationToken)
    {
        var options = draftLength is { } length ? new EdgeDecoderOptions { DraftLength = length } : null;
        var run = new GenerationRun(new EdgeDecoder(verifier, drafter, options), tokenizer, drafter as EmulatedDrafter);
        return run.RunAsync(targetId, request, onText: null, cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        (verifier as IDisposable)?.Dispose();
        if (link is not null)
        {
            await link.DisposeAsync();
        }
    }
}
