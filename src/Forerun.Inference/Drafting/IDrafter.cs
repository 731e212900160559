using Forerun.Core.Decoding;

namespace Forerun.Inference.Drafting;

/// <summary>Proposes draft tokens. One generation and one caller at a time.</summary>
public interface IDrafter
{
    /// <summary>Starts a generation: what was kept of the one before is dropped.</summary>
    void Begin(GenerationRequest request);

    /// <summary>Proposes tokens to follow the history.</summary>
    /// <param name="history">All tokens so far, prompt and output, at least one. It may differ from the history of the
    /// last call at its end: catching up and rolling back are the drafter's own work.</param>
    /// <param name="destination">Receives the draft; its length is the most tokens wanted.</param>
    /// <returns>Number of tokens written, 0 … <paramref name="destination"/>'s length.</returns>
    int Propose(ReadOnlySpan<int> history, Span<int> destination);
}
