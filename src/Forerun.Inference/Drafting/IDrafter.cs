using Forerun.Core.Decoding;

namespace Forerun.Inference.Drafting;

/// <summary>Proposes draft tokens. One generation and one caller at a time.</summary>
public interface IDrafter
{
    /// <summary>Most branches of one <see cref="Extend"/>.</summary>
    const int MaxBranches = 16;

    /// <summary>Starts a generation: what was kept of the one before is dropped.</summary>
    void Begin(GenerationRequest request);

    /// <summary>Proposes tokens to follow the history.</summary>
    /// <param name="history">All tokens so far, prompt and output, at least one. It may differ from the history of the
    /// last call at its end: catching up and rolling back are the drafter's own work.</param>
    /// <param name="destination">Receives the draft; its length is the most tokens wanted.</param>
    /// <returns>Number of tokens written, 0 … <paramref name="destination"/>'s length.</returns>
    int Propose(ReadOnlySpan<int> history, Span<int> destination);

    /// <summary>Drafts on: every branch gets at least one token more, or is ended. A model runs them as one batch.
    /// </summary>
    /// <remarks>A branch gets the tokens that <see cref="Propose"/> would give for its context, whatever is drafted
    /// beside it. Unless a drafter does better, each is proposed to its end. Under rejection sampling a token without
    /// <see cref="DraftedToken.DraftProbs"/> counts as certain: that is exact for every drafter that does not know the
    /// numbers the target decides with, and accepts more the surer the target is.</remarks>
    /// <param name="branches">1 … <see cref="MaxBranches"/> branches, none complete.</param>
    /// <param name="isInterrupted">Looked at in the middle of long work, on the caller's thread: once it is true, the call may
    /// return at once and leave branches as they were. Null = never.</param>
    void Extend(ReadOnlySpan<DraftBranch> branches, Func<bool>? isInterrupted = null)
    {
        Span<int> tokens = stackalloc int[64];
        foreach (var branch in branches)
        {
            var wanted = tokens[..Math.Min(tokens.Length, branch.Wanted - branch.Count)];
            var count = Propose(branch.Tokens, wanted);
            foreach (var token in tokens[..count])
            {
                branch.Append(new DraftedToken(token));
            }

            if (count < wanted.Length)
            {
                branch.End();
            }
        }
    }

    /// <summary>Whether there is anything to draft behind this token: false for end tokens and for ids that the drafter
    /// does not know.</summary>
    bool CanFollow(int token) => true;
}
