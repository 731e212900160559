using Forerun.Inference.Drafting;

namespace Forerun.Edge.PreDrafting;

/// <summary>A draft as far as it is drafted, and the verdicts that it may have: the round's own, or one that follows a verdict
/// which may come. One caller at a time.</summary>
internal sealed class PreDraft
{
    private bool _isCut;

    /// <summary>Its tokens; one more than the draft, where the verdict of full acceptance is guessed at.</summary>
    public DraftBranch Branch { get; set; } = new();

    /// <summary>Most tokens of the draft.</summary>
    public int Length { get; set; }

    /// <summary>The verdicts that it may have.</summary>
    public GuessQueue Guesses { get; } = new();

    /// <summary>Tokens from which verdicts were guessed.</summary>
    public int GuessedFrom { get; private set; }

    /// <summary>The chance that the target accepts all tokens from which verdicts were guessed.</summary>
    public double Acceptance { get; private set; } = 1;

    /// <summary>It has fewer tokens than it could have had.</summary>
    public bool EndsEarly => _isCut || (Branch.IsEnded && Branch.Count < Length);

    /// <summary>Tokens of the draft so far.</summary>
    public int Count => Math.Min(Branch.Count, Length);

    /// <summary>The draft is whole.</summary>
    public bool IsComplete => Branch.IsEnded || Branch.Count >= Length;

    /// <summary>The chance that its branch's next token is needed, if this draft is; 0 = there is none to draft.</summary>
    public double NextTokenChance => Branch.IsEnded || Branch.Count > Length ? 0 : Branch.Count < Length ? 1 : Acceptance;

    /// <summary>The next token was read for guesses, and is accepted with this chance.</summary>
    public void Read(double chance)
    {
        GuessedFrom++;
        Acceptance *= chance;
    }

    /// <summary>The draft ends before the next token that is read.</summary>
    public void End()
    {
        (Length, _isCut) = (GuessedFrom, true);
        Branch.Wanted = Branch.Count;
    }

    /// <summary>Reads all tokens anew: what was learnt meanwhile may make more of the guesses likely.</summary>
    public void ReadAgain() => (GuessedFrom, Acceptance) = (0, 1);

    /// <summary>Expects nothing any more.</summary>
    public void Clear()
    {
        Guesses.Clear();
        _isCut = false;
        ReadAgain();
    }
}
