using Forerun.Inference.Kernels;

namespace Forerun.Inference.Execution;

/// <summary>One worker's memory in <see cref="AttentionStep"/>.</summary>
/// <param name="layout">Sizes of a page.</param>
/// <param name="stride">Floats of a partial result.</param>
/// <param name="maxQueries">Most queries of an item.</param>
internal sealed unsafe class AttentionScratch(KvLayout layout, int stride, int maxQueries) : IDisposable
{
    private readonly NativeBuffer _keyValues = new(8L * layout.HalfHeadElements);
    private readonly NativeBuffer _kernel = new(4 * AttentionKernel.ScratchFloats, clear: true);
    private readonly NativeBuffer _partials = new(4L * AttentionKernel.QueriesPerCall * stride, clear: true);
    private readonly NativeBuffer _running = new(4L * maxQueries * stride, clear: true);

    public float* Keys => _keyValues.Floats;

    public float* Values => _keyValues.Floats + layout.HalfHeadElements;

    public float* Kernel => _kernel.Floats;

    public float* Partials => _partials.Floats;

    public float* Running => _running.Floats;

    public void Dispose()
    {
        _keyValues.Dispose();
        _kernel.Dispose();
        _partials.Dispose();
        _running.Dispose();
    }
}
