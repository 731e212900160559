using CsCheck;
using Forerun.Training;

namespace Forerun.UnitTests.Training;

/// <summary>Matrix products of any shape, whatever the number of threads.</summary>
public sealed class GemmTests
{
    [Fact]
    public void AProductIsTheSumOfProducts() =>
        Gen.Select(Gen.Int[1, 19], Gen.Int[1, 37], Gen.Int[1, 70], Gen.Int[0, 1000]).Sample((m, n, k, seed) =>
        {
            var (a, b) = (Numbers(m * k, seed), Numbers(n * k, seed + 1));
            float[] c = new float[m * n], threaded = new float[m * n];
            new Gemm(1).Multiply(a, b, c, m, n, k);
            new Gemm(3).Multiply(a, b, threaded, m, n, k);
            Assert.Equal(c, threaded);
            for (var i = 0; i < m * n; i++)
            {
                var expected = Enumerable.Range(0, k).Sum(p => (double)a[(i / n * k) + p] * b[(i % n * k) + p]);
                Assert.Equal(expected, c[i], 1e-5 * k);
            }
        });

    [Fact]
    public void ArraysThatAreTooShortAreRefused() =>
        Assert.Throws<ArgumentException>(() => new Gemm(1).Multiply(new float[6], new float[6], new float[3], 2, 2, 3));

    private static float[] Numbers(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() * 2) - 1)];
    }
}
