using System.Collections.Immutable;

namespace Forerun.Core.Decoding;

/// <summary>What ends a generation: end tokens, the token limit, the context. The same code bounds the edge's drafts
/// and the server's verdicts. Immutable; thread-safe.</summary>
public sealed class GenerationLimits
{
    private readonly ImmutableArray<int> _endTokens;
    private readonly bool _lengthIsFirst;

    /// <summary>Creates the limits of one generation.</summary>
    /// <param name="contextLength">Positions the target has; prompt and output tokens together are at most these.
    /// </param>
    /// <param name="promptLength">Prompt tokens, 1 … contextLength - 1.</param>
    /// <param name="maxTokens">Most output tokens, the end token included; 0 = until the context is full.</param>
    /// <param name="endTokens">Tokens that end the text; default or empty = none (end tokens are ignored).</param>
    /// <exception cref="ArgumentException">No output token would fit, or a number is out of range.</exception>
    public GenerationLimits(int contextLength, int promptLength, int maxTokens, ImmutableArray<int> endTokens = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(promptLength, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(maxTokens);
        if (promptLength >= contextLength)
        {
            throw new ArgumentException(
                $"The prompt is too long: the model's context holds {contextLength} tokens, so a prompt may have "
                + $"{Math.Max(0, contextLength - 1)}, got {promptLength}. Shorten the prompt.",
                nameof(promptLength));
        }

        _endTokens = endTokens.IsDefault ? [] : endTokens;
        _lengthIsFirst = maxTokens > 0 && maxTokens <= contextLength - promptLength;
        EndPosition = _lengthIsFirst ? promptLength + maxTokens : contextLength;
    }

    /// <summary>No token stands at this absolute position or after it.</summary>
    public int EndPosition { get; }

    /// <summary>How many output tokens may stand at <paramref name="position"/> and after it; never negative.</summary>
    /// <param name="position">Absolute position of the next output token.</param>
    public int RemainingTokens(int position) => Math.Max(0, EndPosition - position);

    /// <summary>How long a draft may be, so that it and its next token fit; at least 0.</summary>
    /// <param name="position">Absolute position of the first draft token.</param>
    /// <param name="wanted">The draft length that is asked for.</param>
    public int DraftLength(int position, int wanted) => Math.Clamp(RemainingTokens(position) - 1, 0, wanted);

    /// <summary>Whether <paramref name="token"/> ends the text.</summary>
    public bool IsEndToken(int token) => _endTokens.AsSpan().Contains(token);

    /// <summary>Why the generation is over once <paramref name="token"/> stands at <paramref name="position"/>; null
    /// when it goes on.</summary>
    public FinishReason? FinishReasonOf(int token, int position) =>
        IsEndToken(token) ? FinishReason.Stop
        : RemainingTokens(position + 1) > 0 ? null
        : _lengthIsFirst ? FinishReason.Length
        : FinishReason.ContextFull;
}
