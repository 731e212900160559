namespace Forerun.Edge;

/// <summary>What messages and their answers took on a connection. Thread-safe.</summary>
internal sealed class AnswerTimes
{
    // An answer may be late because the server computes: the quickest of these counts.
    private const int Kept = 8;

    private readonly Queue<TimeSpan> _times = new(Kept);

    /// <summary>The quickest lately; null = nothing was measured.</summary>
    public TimeSpan? Quickest
    {
        get
        {
            lock (_times)
            {
                return _times.Count == 0 ? null : _times.Min();
            }
        }
    }

    /// <summary>Takes in a measurement.</summary>
    public void Add(TimeSpan time)
    {
        lock (_times)
        {
            if (_times.Count == Kept)
            {
                _times.Dequeue();
            }

            _times.Enqueue(time);
        }
    }
}
