namespace Forerun.Edge.Control;

/// <summary>A mean that forgets: plain over the first values, exponential afterwards.</summary>
/// <param name="prior">Its value before any was seen.</param>
/// <param name="priorWeight">As how many values the prior counts; 0 = the first value replaces it.</param>
/// <param name="memory">How many values count, about.</param>
internal sealed class Smoothed(double prior, int priorWeight, int memory)
{
    private int _weight = priorWeight;

    /// <summary>The mean.</summary>
    public double Value { get; private set; } = prior;

    /// <summary>Values seen, up to the memory.</summary>
    public int Count { get; private set; }

    /// <summary>Forgets all that was seen, the prior too: the next value replaces it.</summary>
    public void Forget() => (Count, _weight) = (0, 0);

    /// <summary>From now on it is what another mean is, which counts as no more than so many values.</summary>
    public void Become(Smoothed other, int most) =>
        (Value, Count, _weight) = (other.Value, Math.Min(other.Count, most), Math.Min(other._weight, most));

    /// <summary>Takes in a value.</summary>
    public void Add(double value)
    {
        Count = Math.Min(Count + 1, memory);
        _weight = Math.Min(_weight + 1, memory);
        Value += (value - Value) / _weight;
    }
}
