using System.Runtime.Intrinsics;

namespace Forerun.Training;

/// <summary>Matrix products of training, single precision, row-major. An element is summed by one thread in one order: the
/// result does not depend on the number of threads. Thread-safe.</summary>
/// <param name="threads">Threads of a product.</param>
internal sealed unsafe class Gemm(int threads)
{
    private const int BlockRows = 64;

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

        var blocks = (n + BlockRows - 1) / BlockRows;
        Parallel.For(0, blocks, _parallel, block =>
        {
            fixed (float* pa = a, pb = b, pc = c)
            {
                var end = Math.Min(n, (block + 1) * BlockRows);
                for (var i = 0; i < m; i += 4)
                {
                    for (var j = block * BlockRows; j < end; j += 2)
                    {
                        Block(pa + ((long)i * k), pb + ((long)j * k), pc + ((long)i * n) + j, Math.Min(4, m - i), Math.Min(2, end - j), n, k);
                    }
                }
            }
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

    private static void Block(float* a, float* b, float* c, int m, int n, int stride, int k)
    {
        if (m == 4 && n == 2)
        {
            Block4By2(a, b, c, stride, k);
            return;
        }

        for (var i = 0; i < m; i++)
        {
            for (var j = 0; j < n; j++)
            {
                c[(i * stride) + j] = System.Numerics.Tensors.TensorPrimitives.Dot(
                    new ReadOnlySpan<float>(a + ((long)i * k), k), new ReadOnlySpan<float>(b + ((long)j * k), k));
            }
        }
    }

    private static void Block4By2(float* a, float* b, float* c, int stride, int k)
    {
        var (a1, a2, a3, b1) = ((nint)k, 2 * (nint)k, 3 * (nint)k, (nint)k);
        Vector256<float> c00 = default, c01 = default, c10 = default, c11 = default;
        Vector256<float> c20 = default, c21 = default, c30 = default, c31 = default;
        var p = 0;
        for (; p <= k - 8; p += 8)
        {
            var x0 = Vector256.Load(b + p);
            var x1 = Vector256.Load(b + b1 + p);
            var y = Vector256.Load(a + p);
            c00 = Vector256.FusedMultiplyAdd(y, x0, c00);
            c01 = Vector256.FusedMultiplyAdd(y, x1, c01);
            y = Vector256.Load(a + a1 + p);
            c10 = Vector256.FusedMultiplyAdd(y, x0, c10);
            c11 = Vector256.FusedMultiplyAdd(y, x1, c11);
            y = Vector256.Load(a + a2 + p);
            c20 = Vector256.FusedMultiplyAdd(y, x0, c20);
            c21 = Vector256.FusedMultiplyAdd(y, x1, c21);
            y = Vector256.Load(a + a3 + p);
            c30 = Vector256.FusedMultiplyAdd(y, x0, c30);
            c31 = Vector256.FusedMultiplyAdd(y, x1, c31);
        }

        c[0] = Vector256.Sum(c00) + Rest(a, b, p, k);
        c[1] = Vector256.Sum(c01) + Rest(a, b + b1, p, k);
        c[stride] = Vector256.Sum(c10) + Rest(a + a1, b, p, k);
        c[stride + 1] = Vector256.Sum(c11) + Rest(a + a1, b + b1, p, k);
        c[2 * stride] = Vector256.Sum(c20) + Rest(a + a2, b, p, k);
        c[(2 * stride) + 1] = Vector256.Sum(c21) + Rest(a + a2, b + b1, p, k);
        c[3 * stride] = Vector256.Sum(c30) + Rest(a + a3, b, p, k);
        c[(3 * stride) + 1] = Vector256.Sum(c31) + Rest(a + a3, b + b1, p, k);
    }

    private static float Rest(float* a, float* b, int start, int end)
    {
        var sum = 0f;
        for (var i = start; i < end; i++)
        {
            sum += a[i] * b[i];
        }

        return sum;
    }
}
