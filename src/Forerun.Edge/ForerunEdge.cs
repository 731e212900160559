using System.Collections.Immutable;
using Forerun.Core.Emulation;
using Forerun.Edge.Generation;
using Forerun.Inference;
using Forerun.Inference.Drafting;

namespace Forerun.Edge;

/// <summary>The edge in one piece: draft model, drafters and the connection to a server. Thread-safe.</summary>
public sealed class ForerunEdge : IDisposable
{
    private readonly LanguageModel _draft;
    private readonly ImmutableArray<IDrafter> _drafters;
    private readonly GrpcVerifier _verifier;

    private ForerunEdge(LanguageModel draft, ForerunEdgeOptions options)
    {
        _draft = draft;
        _verifier = new GrpcVerifier(new GrpcVerifierOptions
        {
            Endpoint = options.Server,
            TokenizerFingerprint = draft.Tokenizer.Fingerprint,
            TargetId = options.TargetId,
        });
        _drafters = [.. Enumerable.Range(0, options.Drafters).Select(_ => CreateDrafter(draft, options.Emulated))];
        Generator = new TextGenerator(_verifier, draft.TextFormat, _drafters, options.Generation);
    }

    /// <summary>Generates text.</summary>
    public TextGenerator Generator { get; }

    /// <summary>Loads the draft model. The connection is made on first use.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="InvalidDataException">The file is damaged or not supported.</exception>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public static ForerunEdge Load(ForerunEdgeOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Drafters, 1);
        var draft = LanguageModel.Load(options.DraftModelPath, options.Engine);
        try
        {
            return new ForerunEdge(draft, options);
        }
        catch
        {
            draft.Dispose();
            throw;
        }
    }

    /// <summary>Frees the draft model and the connection. End running generations first.</summary>
    public void Dispose()
    {
        foreach (var drafter in _drafters)
        {
            (drafter as IDisposable)?.Dispose();
        }

        _verifier.Dispose();
        _draft.Dispose();
    }

    private static IDrafter CreateDrafter(LanguageModel draft, EmulatedProfile? emulated)
    {
        var drafter = new ModelDrafter(draft);
        return emulated is null ? drafter : new EmulatedDrafter(drafter, emulated);
    }
}
