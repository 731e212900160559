using Forerun.Inference.Drafting;

namespace Forerun.Edge.PreDrafting;

/// <content>Which branches there are, and which get their next token together.</content>
internal sealed partial class PreDrafter
{
    /// <summary>Gathers the branches of the next step: the trunk's one token more, then the likeliest verdicts'.</summary>
    private int FillBatch()
    {
        var size = 0;
        var length = _draft.Tokens.Length;
        if (!_trunk.IsEnded && _trunk.Count == length && _fullAcceptance >= options.MinChance && LengthAfter(length) > 0)
        {
            _trunk.Wanted = length + 1;
            _batch[size++] = _trunk;
        }

        var canFork = true;
        while (size < _batchSize && NextToDraft(size, canFork) is { } guess)
        {
            if (guess.Branch is null && !MakeRoom(guess, size))
            {
                canFork = false;
                continue;
            }

            _batch[size++] = guess.Branch ??= Fork(guess);
        }

        return size;
    }

    /// <summary>The most branches whose step is not more than <see cref="MostStepGrowth"/> times that of one: a verdict waits for
    /// the step that is running.</summary>
    private int AffordableBatch()
    {
        var times = _stepTimes.Estimate();
        var size = options.BatchSize;
        while (size > 1 && times[size - 1] > MostStepGrowth * times[0])
        {
            size--;
        }

        return size;
    }

    private Guess? NextToDraft(int size, bool canFork)
    {
        Guess? best = null;
        foreach (var guess in _queue.Guesses)
        {
            var canGrow = guess.Branch is { } branch
                ? !branch.IsComplete && !_batch.AsSpan(0, size).Contains(branch)
                : canFork;
            if (canGrow && _queue.ChanceOf(guess) >= options.MinChance && IsLikelier(guess, best))
            {
                best = guess;
            }
        }

        return best;
    }

    private bool IsLikelier(Guess guess, Guess? other) =>
        other is null || _queue.ChanceOf(guess) > _queue.ChanceOf(other);

    /// <summary>Makes room for a guess within the budget, at the cost of less likely ones that were not sent.</summary>
    private bool MakeRoom(Guess guess, int size)
    {
        var length = LengthAfter(guess.AcceptedCount);
        while (true)
        {
            var (branches, tokens) = (0, 0);
            Guess? least = null;
            foreach (var other in _queue.Guesses)
            {
                if (other.Branch is not { } branch)
                {
                    continue;
                }

                branches++;
                tokens += branch.Wanted;
                if (other.Sent is null && IsLikelier(guess, other) && !_batch.AsSpan(0, size).Contains(branch)
                    && (least is null || IsLikelier(least, other)))
                {
                    least = other;
                }
            }

            if (branches < options.MaxBranches && tokens + length <= options.MaxTokens)
            {
                return true;
            }

            if (least is null)
            {
                return false;
            }

            Recycle(least.Branch!);
            least.Branch = null;
        }
    }

    private DraftBranch Fork(Guess guess)
    {
        var branch = _unused.TryPop(out var unused) ? unused : new DraftBranch();
        branch.ForkFrom(_trunk, guess.AcceptedCount, guess.NextToken, LengthAfter(guess.AcceptedCount));
        return branch;
    }

    private void DropBranches()
    {
        foreach (var guess in _queue.Guesses)
        {
            if (guess.Branch is { } branch)
            {
                Recycle(branch);
                guess.Branch = null;
            }
        }
    }

    private void Recycle(DraftBranch branch)
    {
        branch.Dispose();
        _unused.Push(branch);
    }
}
