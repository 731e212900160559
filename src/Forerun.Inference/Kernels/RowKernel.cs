using System.Runtime.CompilerServices;
using Forerun.Core.Numerics;

namespace Forerun.Inference.Kernels;

/// <summary>Work on single rows of activations: norms, rotary embedding, the feed-forward gate.</summary>
internal abstract unsafe class RowKernel
{
    /// <summary><c>output = x / sqrt(mean(x²) + epsilon) * weight</c>; count is a multiple of 16. Output may
    /// be x.</summary>
    public void RmsNorm(float* x, float* weight, float* output, int count, float epsilon) =>
        Scale(x, weight, InverseRms(x, count, epsilon), output, count);

    /// <summary><c>1 / sqrt(mean(x²) + epsilon)</c>; count is a multiple of 16.</summary>
    public abstract float InverseRms(float* x, int count, float epsilon);

    /// <summary><c>output = x * factor * weight</c>; count is a multiple of 16. Output may be x.</summary>
    public abstract void Scale(float* x, float* weight, float factor, float* output, int count);

    /// <summary><c>x += y</c>; count is a multiple of 16.</summary>
    public abstract void Add(float* x, float* y, int count);

    /// <summary><c>gate = silu(gate) * up</c>; count is a multiple of 16.</summary>
    public abstract void SwiGlu(float* gate, float* up, int count);

    /// <summary>Rotates one head, <c>[headDim]</c>: element i with element i + headDim / 2, then scales.</summary>
    public abstract void Rotate(float* head, float* cosines, float* sines, int headDim, float scale);
}

/// <inheritdoc/>
internal sealed unsafe class RowKernel<TLanes> : RowKernel
    where TLanes : struct, ILanes<TLanes>
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override float InverseRms(float* x, int count, float epsilon)
    {
        var even = TLanes.Create(0f);
        var odd = TLanes.Create(0f);
        var first = 0;
        for (; first + 32 <= count; first += 32)
        {
            var a = TLanes.Load(ref x[first]);
            var b = TLanes.Load(ref x[first + 16]);
            even = TLanes.MultiplyAdd(a, a, even);
            odd = TLanes.MultiplyAdd(b, b, odd);
        }

        if (first < count)
        {
            var a = TLanes.Load(ref x[first]);
            even = TLanes.MultiplyAdd(a, a, even);
        }

        return 1f / MathF.Sqrt((TLanes.Sum(even + odd) / count) + epsilon);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Scale(float* x, float* weight, float factor, float* output, int count)
    {
        var scale = TLanes.Create(factor);
        for (var i = 0; i < count; i += 16)
        {
            TLanes.Store(TLanes.Load(ref x[i]) * scale * TLanes.Load(ref weight[i]), ref output[i]);
        }
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Add(float* x, float* y, int count)
    {
        for (var i = 0; i < count; i += 16)
        {
            TLanes.Store(TLanes.Load(ref x[i]) + TLanes.Load(ref y[i]), ref x[i]);
        }
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void SwiGlu(float* gate, float* up, int count)
    {
        var one = TLanes.Create(1f);
        var zero = TLanes.Create(0f);
        for (var i = 0; i < count; i += 16)
        {
            var x = TLanes.Load(ref gate[i]);
            TLanes.Store(x / (one + LaneMath.Exp(zero - x)) * TLanes.Load(ref up[i]), ref gate[i]);
        }
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Rotate(float* head, float* cosines, float* sines, int headDim, float scale)
    {
        var half = headDim / 2;
        var i = 0;
        for (var factor = TLanes.Create(scale); i + 16 <= half; i += 16)
        {
            var (a, b) = (TLanes.Load(ref head[i]), TLanes.Load(ref head[i + half]));
            var (cosine, sine) = (TLanes.Load(ref cosines[i]), TLanes.Load(ref sines[i]));
            TLanes.Store(((a * cosine) - (b * sine)) * factor, ref head[i]);
            TLanes.Store(((b * cosine) + (a * sine)) * factor, ref head[i + half]);
        }

        for (; i < half; i++)
        {
            var (a, b) = (head[i], head[i + half]);
            head[i] = ((a * cosines[i]) - (b * sines[i])) * scale;
            head[i + half] = ((b * cosines[i]) + (a * sines[i])) * scale;
        }
    }
}
