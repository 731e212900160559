using System.Runtime.CompilerServices;
using Forerun.Core.Numerics;
using Forerun.Inference.Execution;

namespace Forerun.Inference.Kernels;

/// <summary>How the elements of a KV page are read.</summary>
internal unsafe interface IPageElements<TLanes>
    where TLanes : struct, ILanes<TLanes>
{
    /// <summary>Bytes of an element.</summary>
    static abstract int Bytes { get; }

    /// <summary>Sixteen elements as floats.</summary>
    static abstract TLanes Load(byte* source);
}

/// <summary>Half precision, widened exactly.</summary>
internal readonly unsafe struct HalfElements<TLanes> : IPageElements<TLanes>
    where TLanes : struct, ILanes<TLanes>
{
    public static int Bytes => sizeof(ushort);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Load(byte* source) => TLanes.LoadHalf(ref *(ushort*)source);
}

/// <summary>Single precision.</summary>
internal readonly unsafe struct FloatElements<TLanes> : IPageElements<TLanes>
    where TLanes : struct, ILanes<TLanes>
{
    public static int Bytes => sizeof(float);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Load(byte* source) => TLanes.Load(ref *(float*)source);
}

/// <summary>What one KV head has in a page.</summary>
/// <param name="keys">Keys, <c>[4, headDim, 16 positions]</c>.</param>
/// <param name="values">Values, <c>[64, headDim]</c>.</param>
/// <param name="format">Element storage.</param>
/// <param name="next">Keys, and behind them values, that will be needed next; null = not known.</param>
internal readonly unsafe struct HeadPage(byte* keys, byte* values, KvFormat format, byte* next = null)
{
    /// <summary>Keys, <c>[4, headDim, 16 positions]</c>.</summary>
    public byte* Keys { get; } = keys;

    /// <summary>Values, <c>[64, headDim]</c>.</summary>
    public byte* Values { get; } = values;

    /// <summary>Element storage.</summary>
    public KvFormat Format { get; } = format;

    /// <summary>What will be needed next; null = not known.</summary>
    public byte* Next { get; } = next;
}
