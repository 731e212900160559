namespace Forerun.Inference.Kernels;

/// <summary>How 32 columns of a weight tile are stored.</summary>
internal interface ITileFormat
{
    /// <summary>True: two 4-bit weights per byte; false: one byte per weight.</summary>
    static abstract bool Nibbles { get; }

    /// <summary>True: a block's values are <c>scale * q + minimum</c>; the scales are followed by 16 minima.</summary>
    static abstract bool HasMinimum { get; }

    /// <summary>What was added to a signed weight to store it unsigned: value = scale * (q - Offset).</summary>
    static abstract int Offset { get; }
}

/// <summary>8-bit weights, stored as w + 128.</summary>
internal readonly struct Q8Tile : ITileFormat
{
    public static bool Nibbles => false;

    public static bool HasMinimum => false;

    public static int Offset => 128;
}

/// <summary>4-bit weights, stored as w + 8.</summary>
internal readonly struct Q4Tile : ITileFormat
{
    public static bool Nibbles => true;

    public static bool HasMinimum => false;

    public static int Offset => 8;
}

/// <summary>4-bit weights with a minimum per block.</summary>
internal readonly struct Q4MinimumTile : ITileFormat
{
    public static bool Nibbles => true;

    public static bool HasMinimum => true;

    public static int Offset => 0;
}

/// <summary>Integer dot products of one instruction set: <see cref="Rows"/> weight rows of a tile, four columns a
/// group, against one activation row. All implementations give the same integers.</summary>
/// <typeparam name="TAccumulator">Integer sums of one block.</typeparam>
/// <typeparam name="TFloat">One float per weight row.</typeparam>
/// <typeparam name="TWeights">Two column groups, unpacked.</typeparam>
internal unsafe interface ITileDot<TAccumulator, TFloat, TWeights>
{
    /// <summary>Weight rows handled together: 16, 8 or 4.</summary>
    static abstract int Rows { get; }

    /// <summary>Most activation rows whose sums find room in registers beside everything else.</summary>
    static abstract int RowsInRegisters { get; }

    /// <summary>Column groups 2 * step and 2 * step + 1 of a block; groups are 64 bytes apart.</summary>
    static abstract TWeights Load<TFormat>(byte* block, int step)
        where TFormat : struct, ITileFormat;

    /// <summary>Adds the products with activations <paramref name="x0"/> (first group) and <paramref name="x1"/>, four
    /// int8 each.</summary>
    static abstract TAccumulator Add<TFormat>(TAccumulator sum, TWeights weights, byte* x0, byte* x1)
        where TFormat : struct, ITileFormat;

    /// <summary>The block's dot product as floats (exact), the format's offset taken out.</summary>
    static abstract TFloat ToFloat<TFormat>(TAccumulator sum, int activationSum)
        where TFormat : struct, ITileFormat;
}
