using Forerun.Inference.Kernels;

namespace Forerun.Inference.Execution;

/// <summary>Shares out the tiles of one step after another: each worker has a range of its own and, when it is through,
/// takes what is left of the others'. Cores are not equally fast at all times; a fixed division waits for the slowest.</summary>
/// <remarks>Between two steps lies a barrier, and every worker begins every step: that is what makes it safe to reset the
/// counters of the step before while the present one runs.</remarks>
internal sealed class TileShares
{
    private const int MaxPartsPerWorker = 16;

    private readonly PaddedCounter[] _taken;
    private readonly PaddedCounter[] _steps;
    private readonly int _workers;

    /// <summary>Shares for so many workers.</summary>
    public TileShares(int workers)
    {
        _workers = workers;
        _taken = new PaddedCounter[2 * workers];
        _steps = new PaddedCounter[workers];
    }

    /// <summary>Begins the worker's next step, of <paramref name="count"/> tiles; they are handed out in whole units: of
    /// two, so that a block of <see cref="ActivationBlocks"/> is one worker's, or of a head's.</summary>
    /// <param name="worker">The calling worker.</param>
    /// <param name="count">Tiles of the step.</param>
    /// <param name="rows">Activation rows: the fewer, the faster a tile, and the more it matters to read on without a
    /// break.</param>
    /// <param name="unit">Tiles that stay together, a divisor of <paramref name="count"/>.</param>
    /// <param name="maxTiles">Most tiles of a part, at least a unit.</param>
    public Share Begin(int worker, int count, int rows, int unit = 2, int maxTiles = int.MaxValue)
    {
        var step = _steps[worker].Value++ & 1;
        _taken[((1 - step) * _workers) + worker].Value = 0;
        var units = Quotient(count, unit);
        var parts = _workers == 1 ? 1 : _workers * Math.Min(rows + 1, MaxPartsPerWorker);
        parts = Math.Min(units, Math.Max(parts, Quotient(units, maxTiles / unit)));
        return new Share(_taken.AsSpan(step * _workers, _workers), worker, count, unit, units, parts);
    }

    private static int Quotient(int total, int size) => (int)(((long)total + size - 1) / size);

    /// <summary>What one worker takes from a step: parts that differ by a unit at most, and as many for each worker as for any other, or
    /// one more.</summary>
    public ref struct Share(Span<PaddedCounter> taken, int worker, int count, int unit, int units, int parts)
    {
        private readonly Span<PaddedCounter> _taken = taken;
        private int _owner = worker;
        private int _asked;

        /// <summary>First tile of the part that <see cref="Next"/> took.</summary>
        public int Start { get; private set; }

        /// <summary>Its end.</summary>
        public int End { get; private set; }

        /// <summary>Takes the next part; false when nothing is left.</summary>
        public bool Next()
        {
            while (_asked < _taken.Length)
            {
                var part = FirstPart(_owner) + Interlocked.Increment(ref _taken[_owner].Value) - 1;
                if (part < FirstPart(_owner + 1))
                {
                    Start = FirstTile(part);
                    End = Math.Min(FirstTile(part + 1), count);
                    return true;
                }

                _asked++;
                _owner = _owner + 1 == _taken.Length ? 0 : _owner + 1;
            }

            return false;
        }

        private readonly int FirstPart(int owner) => (int)((long)parts * owner / _taken.Length);

        private readonly int FirstTile(int part) => (int)((long)units * part / parts) * unit;
    }
}
