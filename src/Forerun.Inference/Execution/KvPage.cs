using Forerun.Inference.Kernels;

namespace Forerun.Inference.Execution;

/// <summary>How keys and values are stored.</summary>
public enum KvFormat
{
    /// <summary>Half precision, rounded to nearest even; magnitudes under 2^-14 become 0, above 65,504 are clipped.</summary>
    F16,

    /// <summary>Single precision.</summary>
    F32,
}

/// <summary>Keys and values of 64 positions, all layers and heads. Shared by forks, counted by references.</summary>
/// <remarks>Per layer and KV head: keys <c>[4, headDim, 16 positions]</c>, then values <c>[64, headDim]</c>.</remarks>
/// <param name="layout">Sizes.</param>
/// <param name="memory">Its memory, <see cref="KvLayout.PageBytes"/>; belongs to the pool.</param>
internal sealed unsafe class KvPage(KvLayout layout, byte* memory)
{
    /// <summary>Positions of a page; also the unit in which attention adds up.</summary>
    public const int Positions = 64;

    private readonly byte* _memory = memory;

    /// <summary>Caches that use this page.</summary>
    public int References { get; set; } = 1;

    /// <summary>Keys of a layer and KV head.</summary>
    public byte* Keys(int layer, int head) => _memory + layout.HeadOffset(layer, head);

    /// <summary>Values of a layer and KV head.</summary>
    public byte* Values(int layer, int head) => Keys(layer, head) + layout.HalfHeadBytes;

    /// <summary>Copies all positions of another page.</summary>
    public void CopyFrom(KvPage source) =>
        Buffer.MemoryCopy(source._memory, _memory, layout.PageBytes, layout.PageBytes);
}

/// <summary>Sizes of a KV page.</summary>
/// <param name="Layers">Layers.</param>
/// <param name="KvHeads">KV heads per layer.</param>
/// <param name="HeadDim">Elements per head, a multiple of 16.</param>
/// <param name="Format">Element storage.</param>
internal sealed record KvLayout(int Layers, int KvHeads, int HeadDim, KvFormat Format)
{
    /// <summary>Bytes of an element.</summary>
    public int ElementBytes => Format == KvFormat.F16 ? 2 : 4;

    /// <summary>Elements of a head's keys (or values) in a page.</summary>
    public int HalfHeadElements => KvPage.Positions * HeadDim;

    /// <summary>Bytes of a head's keys (or values) in a page.</summary>
    public long HalfHeadBytes => (long)HalfHeadElements * ElementBytes;

    /// <summary>Bytes of a page.</summary>
    public long PageBytes => 2 * HalfHeadBytes * Layers * KvHeads;

    /// <summary>Where a layer's head starts in a page.</summary>
    public long HeadOffset(int layer, int head) => 2 * HalfHeadBytes * (((long)layer * KvHeads) + head);

    /// <summary>Writes one position's key of one head.</summary>
    public unsafe void StoreKey(KvPage page, int layer, int head, int slot, float* key)
    {
        var keys = page.Keys(layer, head) + ((((slot / 16 * HeadDim) * 16) + (slot % 16)) * ElementBytes);
        if (Format == KvFormat.F16)
        {
            var halves = stackalloc ushort[HeadDim];
            HalfBits.Round(new ReadOnlySpan<float>(key, HeadDim), new Span<ushort>(halves, HeadDim));
            for (var i = 0; i < HeadDim; i++)
            {
                ((ushort*)keys)[i * 16] = halves[i];
            }

            return;
        }

        for (var i = 0; i < HeadDim; i++)
        {
            ((float*)keys)[i * 16] = key[i];
        }
    }

    /// <summary>Writes one position's value of one head.</summary>
    public unsafe void StoreValue(KvPage page, int layer, int head, int slot, float* value)
    {
        var values = page.Values(layer, head) + (slot * HeadDim * ElementBytes);
        var source = new ReadOnlySpan<float>(value, HeadDim);
        if (Format == KvFormat.F16)
        {
            HalfBits.Round(source, new Span<ushort>(values, HeadDim));
        }
        else
        {
            source.CopyTo(new Span<float>(values, HeadDim));
        }
    }
}
