namespace Forerun.Edge.PreDrafting;

/// <content>Which branches there are, and which get their next token together.</content>
internal sealed partial class PreDrafter
{
    /// <summary>Gathers the branches of the next step: those whose next token is needed most likely, as many as are worth it.</summary>
    private int FillBatch()
    {
        var (size, chances) = (0, 0.0);
        var canFork = true;
        while (size < options.BatchSize)
        {
            var next = new NextToken(Math.BitDecrement(options.MinChance));
            FindLikeliest(_current, 1, size, canFork, ref next);
            if (next.Draft is not { } draft || !_stepTimes.IsWorthAnother(size, chances, next.Chance))
            {
                break;
            }

            if (next.Guess is { } guess)
            {
                if (!MakeRoom(LengthAfter(draft, guess.AcceptedCount), next.Chance))
                {
                    canFork = false;
                    continue;
                }

                draft = guess.PreDraft = Fork(draft, guess);
            }

            draft.Branch.Wanted = Math.Max(draft.Length, draft.Branch.Count + 1);
            _batch[size++] = draft;
            chances += next.Chance;
        }

        return size;
    }

    /// <summary>Looks for a likelier next token: of a draft, of the drafts behind its verdicts, or of one to begin there.</summary>
    private void FindLikeliest(PreDraft draft, double chance, int size, bool canFork, ref NextToken likeliest)
    {
        var own = chance * draft.NextTokenChance;
        if (own > likeliest.Chance && CanGrow(draft) && !_batch.AsSpan(0, size).Contains(draft))
        {
            likeliest = new(own, draft, Guess: null);
        }

        foreach (var guess in draft.Guesses.Guesses)
        {
            var guessed = chance * draft.Guesses.ChanceOf(guess);
            if (guessed <= likeliest.Chance)
            {
                continue;
            }

            if (guess.PreDraft is { } next)
            {
                FindLikeliest(next, guessed, size, canFork, ref likeliest);
            }
            else if (canFork)
            {
                likeliest = new(guessed, draft, guess);
            }
        }
    }

    /// <summary>Behind a whole draft, a token is needed only for a draft that follows it.</summary>
    private bool CanGrow(PreDraft draft) => draft.Branch.Count < draft.Length || LengthAfter(draft, draft.Length) > 0;

    /// <summary>Makes room for a draft within the budget, at the cost of less likely ones that were not sent.</summary>
    private bool MakeRoom(int length, double chance)
    {
        while (true)
        {
            var held = new Held(chance);
            Count(_current, 1, ref held);
            if (held.Drafts < options.MaxBranches && held.Tokens + length <= options.MaxTokens)
            {
                return true;
            }

            if (held.Least is null)
            {
                return false;
            }

            Drop(held.Least);
        }
    }

    private static void Count(PreDraft draft, double chance, ref Held held)
    {
        foreach (var guess in draft.Guesses.Guesses)
        {
            if (guess.PreDraft is not { } next)
            {
                continue;
            }

            var guessed = chance * draft.Guesses.ChanceOf(guess);
            held.Drafts++;
            held.Tokens += next.Branch.Wanted;
            if (guess.Sent is null && guessed < held.LeastChance)
            {
                (held.Least, held.LeastChance) = (guess, guessed);
            }

            Count(next, guessed, ref held);
        }
    }

    private PreDraft Fork(PreDraft draft, Guess guess)
    {
        var fork = _unused.TryPop(out var unused) ? unused : new PreDraft();
        fork.Length = LengthAfter(draft, guess.AcceptedCount);
        fork.Branch.ForkFrom(draft.Branch, guess.AcceptedCount, guess.NextToken, fork.Length);
        return fork;
    }

    /// <summary>Drops what was drafted for a draft's verdicts.</summary>
    private void DropGuesses(PreDraft draft)
    {
        foreach (var guess in draft.Guesses.Guesses)
        {
            Drop(guess);
        }

        draft.Clear();
    }

    /// <summary>Drops the verdicts that a draft of another length than expected cannot have.</summary>
    private void DropImpossible()
    {
        for (var i = _current.Guesses.Guesses.Count - 1; i >= 0; i--)
        {
            if (_current.Guesses.Guesses[i] is var guess && !IsPossible(guess.AcceptedCount, guess.NextToken))
            {
                Drop(guess);
                _current.Guesses.RemoveAt(i);
            }
        }
    }

    private void Drop(Guess guess)
    {
        if (guess.PreDraft is { } draft)
        {
            _statistics = _statistics with { WastedTokens = _statistics.WastedTokens + draft.Count };
            guess.PreDraft = null;
            Recycle(draft);
        }
    }

    private void Recycle(PreDraft draft)
    {
        DropGuesses(draft);
        draft.Branch.Dispose();
        _unused.Push(draft);
    }

    /// <summary>A token to draft: the next one of a draft, or the first behind one of its verdicts.</summary>
    /// <param name="Chance">The chance that it is needed.</param>
    /// <param name="Draft">The draft; null = there is none.</param>
    /// <param name="Guess">The verdict; null = the draft's own token.</param>
    private readonly record struct NextToken(double Chance, PreDraft? Draft = null, Guess? Guess = null);

    /// <summary>What is drafted for guesses, and the least likely that may be dropped.</summary>
    private record struct Held(double LeastChance)
    {
        public int Drafts;
        public int Tokens;
        public Guess? Least;
    }
}
