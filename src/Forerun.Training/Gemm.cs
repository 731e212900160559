using System.Buffers;
using System.Runtime.Intrinsics;

namespace Forerun.Training;

/// <summary>Matrix products of training, single precision, row-major. An element is summed by one thread in one order: the
/// result does not depend on the number of threads. Thread-safe.</summary>
/// <param name="threads">Threads of a product.</param>
internal sealed unsafe class Gemm(int threads)
{
    private const int TileRows = 4;
    private const int TileColumns = 16;

    private readonly ParallelOptions _parallel = new() { MaxDegreeOfParallelism = threads };

    /// <summary><c>c = a · bᵀ</c>: <paramref name="a"/> <c>[m, k]</c>, <paramref name="b"/> <c>[n, k]</c>,
    /// <paramref name="c"/> <c>[m, n]</c>.</summary>
    public void Multiply(float[] a, float[] b, float[] c, int m, int n, int k)
    {
        if (a.Length < (long)m * k || b.Length < (long)n * k || c.Length < (long)m * n)
        {
            throw new ArgumentException(
                $"[{m}, {k}] times [{n}, {k}] needs arrays of {(long)m * k}, {(long)n * k} and {(long)m * n}, got {a.Length}, {b.Length} and {c.Length}.");
        }

        Parallel.For(0, (n + TileColumns - 1) / TileColumns, _parallel, panel =>
        {
            var packed = ArrayPool<float>.Shared.Rent(k * TileColumns);
            fixed (float* pa = a, pb = b, pc = c, panelOfB = packed)
            {
                var column = panel * TileColumns;
                var columns = Math.Min(TileColumns, n - column);
                Pack(pb + ((long)column * k), panelOfB, columns, k);
                MultiplyPanel(pa, panelOfB, pc + column, m, columns, n, k);
            }

            ArrayPool<float>.Shared.Return(packed);
        });
    }

    /// <summary><c>destination = sourceᵀ</c>: <c>[rows, columns]</c> → <c>[columns, rows]</c>.</summary>
    public static void Transpose(ReadOnlySpan<float> source, Span<float> destination, int rows, int columns)
    {
        const int Tile = 16;
        for (var top = 0; top < rows; top += Tile)
        {
            for (var left = 0; left < columns; left += Tile)
            {
                for (var row = top; row < Math.Min(rows, top + Tile); row++)
                {
                    for (var column = left; column < Math.Min(columns, left + Tile); column++)
                    {
                        destination[(column * rows) + row] = source[(row * columns) + column];
                    }
                }
            }
        }
    }

    /// <summary>Up to <see cref="TileColumns"/> rows of b as <c>[k, TileColumns]</c>, zeros where there is none.</summary>
    private static void Pack(float* b, float* packed, int columns, int k)
    {
        new Span<float>(packed, k * TileColumns).Clear();
        for (var column = 0; column < columns; column++)
        {
            for (var p = 0; p < k; p++)
            {
                packed[(p * TileColumns) + column] = b[((long)column * k) + p];
            }
        }
    }

    private static void MultiplyPanel(float* a, float* packed, float* c, int m, int columns, int stride, int k)
    {
        var tile = stackalloc float[TileRows * TileColumns];
        for (var row = 0; row < m; row += TileRows)
        {
            // Rows after the last repeat it, and are thrown away.
            var rows = Math.Min(TileRows, m - row);
            var first = a + ((long)row * k);
            MultiplyTile(
                first, first + ((long)Math.Min(1, rows - 1) * k), first + ((long)Math.Min(2, rows - 1) * k), first + ((long)(rows - 1) * k), packed, tile, k);
            for (var i = 0; i < rows; i++)
            {
                new ReadOnlySpan<float>(tile + (i * TileColumns), columns)
                    .CopyTo(new Span<float>(c + ((long)(row + i) * stride), columns));
            }
        }
    }

    private static void MultiplyTile(float* a0, float* a1, float* a2, float* a3, float* b, float* tile, int k)
    {
        Vector256<float> c00 = default, c01 = default, c10 = default, c11 = default;
        Vector256<float> c20 = default, c21 = default, c30 = default, c31 = default;
        for (nint p = 0; p < k; p++, b += TileColumns)
        {
            var (b0, b1) = (Vector256.Load(b), Vector256.Load(b + 8));
            var x = Vector256.Create(a0[p]);
            (c00, c01) = (Vector256.FusedMultiplyAdd(x, b0, c00), Vector256.FusedMultiplyAdd(x, b1, c01));
            x = Vector256.Create(a1[p]);
            (c10, c11) = (Vector256.FusedMultiplyAdd(x, b0, c10), Vector256.FusedMultiplyAdd(x, b1, c11));
            x = Vector256.Create(a2[p]);
            (c20, c21) = (Vector256.FusedMultiplyAdd(x, b0, c20), Vector256.FusedMultiplyAdd(x, b1, c21));
            x = Vector256.Create(a3[p]);
            (c30, c31) = (Vector256.FusedMultiplyAdd(x, b0, c30), Vector256.FusedMultiplyAdd(x, b1, c31));
        }

        c00.Store(tile);
        c01.Store(tile + 8);
        c10.Store(tile + 16);
        c11.Store(tile + 24);
        c20.Store(tile + 32);
        c21.Store(tile + 40);
        c30.Store(tile + 48);
        c31.Store(tile + 56);
    }
}
