using System.Runtime.CompilerServices;
using Forerun.Core.Decoding;

namespace Forerun.Edge.EdgeOnly;

/// <summary>Goes on with the draft model alone where the verifier is lost; every such round says why.</summary>
internal static class Fallback
{
    /// <summary>The rounds as they come; after a loss the rest of the text.</summary>
    /// <param name="rounds">The generation as it was asked for.</param>
    /// <param name="request">What was asked for.</param>
    /// <param name="decode">Decodes the rest with the draft model alone.</param>
    /// <param name="cancellationToken">Ends both.</param>
    public static async IAsyncEnumerable<DecodedRound> FollowAsync(
        IAsyncEnumerable<DecodedRound> rounds,
        GenerationRequest request,
        Func<GenerationRequest, IAsyncEnumerable<DecodedRound>> decode,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var tokens = request.PromptTokens.ToBuilder();
        var bytes = default(WireBytes);
        var verdicts = 0;
        VerificationError? loss = null;
        await using (var verified = rounds.GetAsyncEnumerator(cancellationToken))
        {
            while (true)
            {
                try
                {
                    if (!await verified.MoveNextAsync().ConfigureAwait(false))
                    {
                        break;
                    }
                }
                catch (VerifierUnavailableException exception)
                {
                    loss = exception.Error;
                    break;
                }

                var round = verified.Current;
                (verdicts, bytes) = (round.Round, round.Bytes);
                tokens.AddRange(round.Tokens);
                yield return round;
            }
        }

        if (loss is null)
        {
            yield break;
        }

        var done = tokens.Count - request.PromptTokens.Length;
        var rest = request with
        {
            PromptTokens = tokens.ToImmutable(),
            MaxTokens = request.MaxTokens == 0 ? 0 : request.MaxTokens - done,
            Mode = DecodingMode.EdgeOnly,
        };
        await foreach (var round in decode(rest).ConfigureAwait(false))
        {
            yield return round with
            {
                Round = verdicts + round.Round,
                Bytes = bytes,
                Loss = loss,
                End = round.End is { } end ? end with { Usage = Whole(end.Usage, request, verdicts, done) } : null,
            };
        }
    }

    /// <summary>What is known of both parts; each verdict that came took a target pass.</summary>
    private static Usage Whole(Usage rest, GenerationRequest request, int verdicts, int done) => rest with
    {
        PromptTokens = request.PromptTokens.Length,
        OutputTokens = done + rest.OutputTokens,
        Rounds = verdicts + rest.Rounds,
        TargetPasses = verdicts,
    };
}
