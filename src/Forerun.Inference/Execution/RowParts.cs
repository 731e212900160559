using Forerun.Inference.Kernels;

namespace Forerun.Inference.Execution;

/// <summary>Divides the preparing of activations into equally many parts for each worker: a part is a group of rows, whose
/// values lie between each other, and a range of their columns. So no two workers write to one cache line.</summary>
/// <param name="groups">The division of the pass's rows.</param>
/// <param name="columns">A multiple of 32.</param>
/// <param name="workers">Number of workers.</param>
internal readonly struct RowParts(RowGroups groups, int columns, int workers)
{
    private readonly int _splits = groups.Count % workers == 0 ? 1 : workers;

    /// <summary>Number of parts.</summary>
    public int Count => groups.Count * _splits;

    /// <summary>Rows and columns of a part.</summary>
    public (int StartRow, int EndRow, int StartColumn, int EndColumn) this[int part]
    {
        get
        {
            var (group, split) = Math.DivRem(part, _splits);
            var blocks = columns / 32;
            return (
                groups.Start(group),
                groups.Start(group) + groups.Size(group),
                blocks * split / _splits * 32,
                blocks * (split + 1) / _splits * 32);
        }
    }
}
