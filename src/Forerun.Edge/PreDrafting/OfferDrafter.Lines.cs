using Forerun.Inference.Drafting;

namespace Forerun.Edge.PreDrafting;

/// <content>The lines: the drafter's own, and those that leave another one for an alternative. A line stands behind the one it left,
/// so the first is the likeliest.</content>
internal sealed partial class OfferDrafter
{
    private const int MaxLines = 8;
    private const double MinChance = 0.05;

    private readonly StepTimes _stepTimes = new();
    private readonly List<DraftLine> _lines = [];
    private readonly Stack<DraftLine> _unused = new();
    private readonly List<DraftLine> _batch = [];
    private readonly DraftBranch[] _branches = new DraftBranch[IDrafter.MaxBranches];

    /// <summary>Drafts one token more for the likeliest lines.</summary>
    /// <returns>False when there is nothing to draft.</returns>
    public bool Step()
    {
        _batch.Clear();
        var chances = 0.0;
        while (_batch.Count < IDrafter.MaxBranches && Likeliest() is { } line)
        {
            var chance = line.ChanceOf(line.Count);
            if (!_stepTimes.IsWorthAnother(_batch.Count, chances, chance))
            {
                break;
            }

            chances += chance;
            _branches[_batch.Count] = line.Branch;
            line.Branch.Wanted = line.Branch.Count + 1;
            _batch.Add(line);
        }

        if (_batch.Count == 0)
        {
            return false;
        }

        var started = time.GetTimestamp();
        drafter.Extend(_branches.AsSpan(0, _batch.Count));

        // A step directly behind the text reads that too.
        if (!_batch.Exists(static line => line.Count == 0))
        {
            _stepTimes.Learn(_batch.Count, time.GetElapsedTime(started));
        }

        foreach (var line in _batch)
        {
            line.Read(odds);
        }

        return true;
    }

    private bool CanGrow(DraftLine line) =>
        line.Count < _wanted && !line.Branch.IsEnded && line.ChanceOf(line.Count) >= MinChance;

    /// <summary>The line whose next token is needed most likely: one that is there, or a new one; null = there is none.</summary>
    private DraftLine? Likeliest()
    {
        var (likeliest, most) = (default(DraftLine), 0.0);
        var leaving = new Leaving(MinChance);
        foreach (var line in _lines)
        {
            if (CanGrow(line) && line.ChanceOf(line.Count) > most && !_batch.Contains(line))
            {
                (likeliest, most) = (line, line.ChanceOf(line.Count));
            }

            FindLeaving(line, ref leaving);
        }

        if (leaving.Line is null || leaving.Chance <= most || _lines.Count == MaxLines)
        {
            return likeliest;
        }

        var fork = _unused.TryPop(out var unused) ? unused : new DraftLine();
        fork.ForkFrom(leaving.Line, leaving.Drafted, leaving.Token, leaving.Share);
        _lines.Add(fork);
        return fork;
    }

    /// <summary>Looks for a likelier alternative to a drafted token of a line.</summary>
    private void FindLeaving(DraftLine line, ref Leaving likeliest)
    {
        for (var i = 0; i < line.Branch.Count && line.TakenOver + i + 1 < _wanted; i++)
        {
            var (token, before) = (line.Branch[i], line.ChanceOf(line.TakenOver + i));
            for (var rank = 0; rank < token.Alternatives.Count; rank++)
            {
                var (alternative, share) = (token.Alternatives[rank], odds.Alternative(token, rank));
                if (before * share > likeliest.Chance && drafter.CanFollow(alternative) && !IsLine(line, i, alternative))
                {
                    likeliest = new(before * share, line, i, alternative, share);
                }
            }
        }
    }

    /// <summary>Whether a line goes on with a token where another one has drafted so many.</summary>
    private bool IsLine(DraftLine line, int drafted, int token)
    {
        var before = line.Tokens[..(line.TakenOver + drafted)];
        foreach (var other in _lines)
        {
            if (other.Count > before.Length && other.Tokens[before.Length] == token && other.Tokens.StartsWith(before))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Keeps the lines that go on as the text did; where none does, the one that agreed longest starts over.</summary>
    private void KeepAgreeing(ReadOnlySpan<int> output)
    {
        var (longest, agreed) = (_lines[0], -1);
        foreach (var line in _lines)
        {
            if (line.Tokens.CommonPrefixLength(output) is var common && common > agreed)
            {
                (longest, agreed) = (line, common);
            }
        }

        for (var i = _lines.Count - 1; i >= 0; i--)
        {
            if (_lines[i].Tokens.StartsWith(output))
            {
                _lines[i].Confirm(output.Length);
            }
            else if (_lines[i] != longest)
            {
                Drop(i);
            }
        }

        if (agreed < output.Length)
        {
            longest.Restart(agreed, output[agreed..]);
        }
    }

    private void Drop(int index)
    {
        _lines[index].Branch.Dispose();
        _unused.Push(_lines[index]);
        _lines.RemoveAt(index);
    }

    /// <summary>A token that a line may be left for.</summary>
    /// <param name="Chance">The chance that the text does.</param>
    /// <param name="Line">The line; null = none.</param>
    /// <param name="Drafted">Its drafted tokens that are kept.</param>
    /// <param name="Token">The token behind them.</param>
    /// <param name="Share">The chance of the token, where the text comes so far.</param>
    private readonly record struct Leaving(double Chance, DraftLine? Line = null, int Drafted = 0, int Token = 0, double Share = 0);
}
