using System.Runtime.CompilerServices;
using System.Text;
using Forerun.Core.Decoding;
using Forerun.Inference.Tokenization;

namespace Forerun.Edge.Generation;

/// <summary>Decodes to text: rounds in, text out, stop strings obeyed. One generation at a time.</summary>
/// <param name="decoder">Decodes to tokens.</param>
/// <param name="tokenizer">Makes text of tokens.</param>
public sealed class TextDecoder(EdgeDecoder decoder, Tokenizer tokenizer)
{
    /// <summary>Streams a generation, an update per round; the last one carries the end. At a stop string, when
    /// cancelled and when the loop is left, the generation ends on the server too. Exceptions as in
    /// <see cref="EdgeDecoder.GenerateAsync"/>.</summary>
    /// <param name="request">What to generate.</param>
    /// <param name="stopStrings">End the text before the first of them; null = none.</param>
    /// <param name="cancellationToken">Ends the generation.</param>
    /// <exception cref="ArgumentException">A stop string is empty.</exception>
    public IAsyncEnumerable<TextUpdate> GenerateAsync(
        GenerationRequest request,
        IReadOnlyList<string>? stopStrings = null,
        CancellationToken cancellationToken = default) =>
        DecodeAsync(decoder.GenerateAsync(request, cancellationToken), new StopFilter(stopStrings ?? []), cancellationToken);

    private async IAsyncEnumerable<TextUpdate> DecodeAsync(
        IAsyncEnumerable<DecodedRound> rounds,
        StopFilter filter,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var stream = new TextStream(tokenizer);
        var tokens = new TextTokens();
        var text = new StringBuilder();
        var outputTokens = 0;
        await foreach (var round in rounds.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            text.Clear();
            for (var i = 0; i < round.Tokens.Length; i++)
            {
                outputTokens++;
                tokens.Add(round, i);
                text.Append(filter.Append(tokens.Decoded(stream.Append(round.Tokens[i]))));
                if (filter.IsStopped)
                {
                    break;
                }
            }

            var isWhole = round.End is not null && !filter.IsStopped;
            if (isWhole)
            {
                text.Append(filter.Append(stream.Flush())).Append(filter.Flush());
            }

            var reason = filter.IsStopped ? FinishReason.Stop : round.End?.Reason;
            yield return new TextUpdate(
                text.ToString(), round, reason is { } known ? new TextEnd(known, outputTokens) : null)
            {
                Tokens = tokens.Take(text.Length, isWhole),
            };
            if (filter.IsStopped)
            {
                yield break;
            }
        }
    }
}
