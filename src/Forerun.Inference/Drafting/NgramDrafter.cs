using Forerun.Core.Decoding;

namespace Forerun.Inference.Drafting;

/// <summary>Drafts without a model: what followed the last tokens where they stood before, in the prompt or in the
/// output. Good where a text repeats its prompt. Deterministic; no allocation. One generation and one caller at a time.
/// </summary>
/// <remarks>The last three tokens are looked for first, then two, then one; the most recent place wins.</remarks>
public sealed class NgramDrafter : IDrafter
{
    private const int LongestMatch = 3;

    /// <inheritdoc/>
    /// <remarks>Nothing is kept from call to call: the history is all there is.</remarks>
    public void Begin(GenerationRequest request)
    {
    }

    /// <inheritdoc/>
    public int Propose(ReadOnlySpan<int> history, Span<int> destination)
    {
        if (Repeats.Find(history, shortest: 1, LongestMatch, out var next) > 0)
        {
            var continuation = history[next..];
            var count = Math.Min(continuation.Length, destination.Length);
            continuation[..count].CopyTo(destination);
            return count;
        }

        return 0;
    }
}
