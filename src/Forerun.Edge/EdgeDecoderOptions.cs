using Forerun.Edge.EdgeOnly;
using Forerun.Edge.PreDrafting;
using Forerun.Inference;

namespace Forerun.Edge;

/// <summary>How the edge drafts. The text does not depend on it, unless a fallback is set and used.</summary>
public sealed record EdgeDecoderOptions
{
    /// <summary>The defaults.</summary>
    public static EdgeDecoderOptions Default { get; } = new();

    /// <summary>Most tokens of a draft, 1 … 16; default 4. In mode auto, the length that it begins with.</summary>
    public int DraftLength { get; init; } = 4;

    /// <summary>A draft ends where the next token costs more time than it is expected to save (default). Never under rejection sampling,
    /// where a draft that is looked at before it is sent would change the distribution.</summary>
    public bool EndsDraftsEarly { get; init; } = true;

    /// <summary>How much is drafted ahead in the modes preemptive, pipelined and auto.</summary>
    public PreDraftOptions PreDrafts { get; init; } = PreDraftOptions.Default;

    /// <summary>Keeps the process's cores from halting while a generation runs (<see cref="AwakeCores"/>): verdicts are read sooner
    /// where an idle core takes long to wake. Default false; Linux only.</summary>
    public bool KeepAwake { get; init; }

    /// <summary>Goes on with the draft model alone where the verifier is unavailable or gets lost: that text is not the
    /// target's, and each of its rounds tells the <see cref="DecodedRound.Loss"/>. Null (default) = the generation fails,
    /// as does one that asks for log probabilities.
    /// </summary>
    public EdgeOnlyVerifier? Fallback { get; init; }
}
