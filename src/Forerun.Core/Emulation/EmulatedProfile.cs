using System.Collections.Immutable;
using System.Globalization;

namespace Forerun.Core.Emulation;

/// <summary>How long other hardware takes for what the engines do here: real work is stretched to these times by waiting.
/// Immutable.</summary>
/// <param name="Name">How every output calls it.</param>
/// <param name="Draft">Time to draft <see cref="DraftLength"/> tokens.</param>
/// <param name="Verification">Time of a target pass, whatever rows it has: the paper counts a token of its autoregressive
/// baseline as much as a verification.</param>
/// <param name="Network">Round trip between edge and cloud; the link waits, not the engines.</param>
public sealed record EmulatedProfile(string Name, TimeSpan Draft, TimeSpan Verification, TimeSpan Network)
{
    /// <summary>Tokens that <see cref="Draft"/> is given for.</summary>
    public const int DraftLength = 4;

    /// <summary>The profiles of arXiv 2505.21594: an A100 in the cloud, and three edges.</summary>
    public static ImmutableArray<EmulatedProfile> Named { get; } =
    [
        Of("a100+jetson-nano", draftMs: 301, verifyMs: 522, networkMs: 96),
        Of("a100+rtx2080ti", draftMs: 99, verifyMs: 467, networkMs: 47),
        Of("a100+go2", draftMs: 288, verifyMs: 620, networkMs: 120),
    ];

    /// <summary>Time of a draft step: one token more on each of up to 8 branches. The paper's edges draft for at least 15
    /// branches at a time with this pair of models, so that branches within that limit cost nothing more.</summary>
    public TimeSpan DraftStep => Draft / DraftLength;

    /// <summary>Time from the start of a pass to the end of a stage.</summary>
    /// <param name="layersRun">Layers run, 0 … <paramref name="layers"/>; with the last, the head is included.</param>
    /// <param name="layers">Layers of the target.</param>
    public TimeSpan StageEnd(int layersRun, int layers) => Verification * layersRun / layers;

    /// <summary>All figures, such as "draft of 4: 301 ms, verification 522 ms, network 96 ms".</summary>
    public string Describe() => string.Create(
        CultureInfo.InvariantCulture,
        $"draft of {DraftLength}: {Draft.TotalMilliseconds:0.###} ms, verification {Verification.TotalMilliseconds:0.###} ms, network {Network.TotalMilliseconds:0.###} ms");

    /// <summary>The profile with these times in milliseconds.</summary>
    internal static EmulatedProfile Of(string name, double draftMs, double verifyMs, double networkMs) => new(
        name,
        TimeSpan.FromMilliseconds(draftMs),
        TimeSpan.FromMilliseconds(verifyMs),
        TimeSpan.FromMilliseconds(networkMs));
}
