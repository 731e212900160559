using Forerun.Cli.Running;
using Forerun.Core.Decoding;
using Forerun.Edge;
using Forerun.Inference.Drafting;
using Forerun.Inference.Tokenization;

namespace Forerun.Cli.Comparing;

/// <summary>The edge of a comparison, connected over one link. Disposing closes the connection.</summary>
/// <param name="verifier">Reaches the target.</param>
/// <param name="drafter">Drafts; the caller keeps owning it.</param>
/// <param name="options">How it drafts; the draft length is each cell's.</param>
/// <param name="tokenizer">The drafter's.</param>
/// <param name="targetId">The target.</param>
/// <param name="link">Closed with the connection; null = none.</param>
internal sealed class CompareEdge(
    IVerifier verifier, IDrafter drafter, EdgeDecoderOptions options, Tokenizer tokenizer, string targetId, IAsyncDisposable? link = null)
    : IAsyncDisposable
{
    // One per draft length for all generations, and one for those that choose it: what is learnt is kept over them.
    private readonly Dictionary<int, EdgeDecoder> _byLength = [];
    private readonly EdgeDecoder _ownLength = new(verifier, drafter, options);

    /// <summary>Runs one generation.</summary>
    /// <param name="request">What to generate.</param>
    /// <param name="draftLength">Tokens drafted per round; null where nobody drafts, or the mode chooses.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<GenerationReport> RunAsync(
        GenerationRequest request, int? draftLength, CancellationToken cancellationToken)
    {
        var decoder = draftLength is { } length ? DecoderOf(length) : _ownLength;
        var run = new GenerationRun(decoder, tokenizer) { Emulated = drafter as EmulatedDrafter };
        return run.RunAsync(targetId, request, onUpdate: null, cancellationToken);
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

    private EdgeDecoder DecoderOf(int draftLength)
    {
        if (!_byLength.TryGetValue(draftLength, out var decoder))
        {
            decoder = new EdgeDecoder(verifier, drafter, options with { DraftLength = draftLength });
            _byLength.Add(draftLength, decoder);
        }

        return decoder;
    }
}
