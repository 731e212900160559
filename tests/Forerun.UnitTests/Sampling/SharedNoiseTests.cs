using CsCheck;
using Forerun.Core.Numerics;
using Forerun.Core.Sampling;

namespace Forerun.UnitTests.Sampling;

public class SharedNoiseTests
{
    /// <summary>The text of every sampled generation hangs on these bits: they must never change.</summary>
    [Theory]
    [InlineData(0UL, 0, 0, -1091223386)]
    [InlineData(0UL, 0, 1, 1066671901)]
    [InlineData(1UL, 0, 0, 1068531974)]
    [InlineData(42UL, 100, 49151, 1065825653)]
    [InlineData(0xFFFFFFFFFFFFFFFFUL, 1_000_000, 151_935, 1053237258)]
    [InlineData(1234567890123456789UL, int.MaxValue, 7, 1058865241)]
    public void Gumbel_FixedInputs_KeepsItsBits(ulong seed, int position, int token, int bits) =>
        Assert.Equal(bits, BitConverter.SingleToInt32Bits(SharedNoise.Gumbel(seed, position, token)));

    [Fact]
    public void Gumbel_ManyTokens_EqualsOneByOneOnEveryWidth() =>
        Gen.Select(Gen.ULong, Gen.Int[0, int.MaxValue], Gen.Int[0, 300_000].Array[0, 70]).Sample(
        (seed, position, tokens) =>
        {
            var expected = tokens.Select(t => SharedNoise.Gumbel(seed, position, t)).ToArray();
            var actual = new float[tokens.Length];
            SharedNoise.Gumbel(seed, position, tokens, actual);
            Assert.Equal(expected, actual);
            SharedNoise.Gumbel<Lanes128>(seed, position, tokens, actual);
            Assert.Equal(expected, actual);
            SharedNoise.Gumbel<Lanes256>(seed, position, tokens, actual);
            Assert.Equal(expected, actual);
            SharedNoise.Gumbel<Lanes512>(seed, position, tokens, actual);
            Assert.Equal(expected, actual);
        });

    [Fact]
    public void Gumbel_ManyPositions_StaysInItsRangeAndHasGumbelMoments()
    {
        var tokens = Enumerable.Range(0, 10_000).ToArray();
        var noise = new float[tokens.Length];
        var (sum, squares, inside) = (0.0, 0.0, true);
        for (var position = 0; position < 100; position++)
        {
            SharedNoise.Gumbel(7, position, tokens, noise);
            inside &= noise.Min() >= SharedNoise.Smallest && noise.Max() <= SharedNoise.Largest;
            sum += noise.Sum(g => (double)g);
            squares += noise.Sum(g => (double)g * g);
        }

        var mean = sum / 1e6;
        Assert.True(inside);
        Assert.Equal(0.5772, mean, 0.006);
        Assert.Equal(Math.PI * Math.PI / 6, (squares / 1e6) - (mean * mean), 0.03);
    }

    [Fact]
    public void Gumbel_NeighbouringSeedsPositionsTokens_AreUncorrelated()
    {
        const int Count = 100_000;
        double[] seeds = new double[Count], positions = new double[Count], tokens = new double[Count];
        for (var i = 0; i < Count; i++)
        {
            seeds[i] = SharedNoise.Gumbel((ulong)i, 5, 9);
            positions[i] = SharedNoise.Gumbel(3, i, 9);
            tokens[i] = SharedNoise.Gumbel(3, 5, i);
        }

        foreach (var series in new[] { seeds, positions, tokens })
        {
            Assert.InRange(Correlation(series.AsSpan(1), series), -0.02, 0.02);
            Assert.InRange(Correlation(series.AsSpan(64), series), -0.02, 0.02);
        }

        Assert.InRange(Correlation(seeds, positions), -0.02, 0.02);
        Assert.InRange(Correlation(positions, tokens), -0.02, 0.02);
        Assert.InRange(Correlation(seeds, tokens), -0.02, 0.02);
    }

    [Fact]
    public void Range_OutermostUniforms_AreInside()
    {
        var smallest = -DeterministicMath.Log(-DeterministicMath.Log(0.5f / (1 << 23)));
        var largest = -DeterministicMath.Log(-DeterministicMath.Log(1f - (0.5f / (1 << 23))));
        Assert.InRange(smallest, SharedNoise.Smallest, SharedNoise.Smallest + 0.001f);
        Assert.InRange(largest, SharedNoise.Largest - 0.001f, SharedNoise.Largest);
        Assert.True(SharedNoise.Largest - SharedNoise.Smallest < Candidates.Reach);
    }

    [Fact]
    public void Gumbel_DestinationOfOtherLength_SaysBothLengths()
    {
        var error = Assert.Throws<ArgumentException>(() => SharedNoise.Gumbel(0, 0, new int[3], new float[2]));
        Assert.StartsWith(
            "The destination must be as long as the tokens: needed [3], got [2].",
            error.Message,
            StringComparison.Ordinal);
    }

    private static double Correlation(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        var n = Math.Min(a.Length, b.Length);
        var (meanA, meanB, ab, aa, bb) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (var i = 0; i < n; i++)
        {
            meanA += a[i] / n;
            meanB += b[i] / n;
        }

        for (var i = 0; i < n; i++)
        {
            ab += (a[i] - meanA) * (b[i] - meanB);
            aa += (a[i] - meanA) * (a[i] - meanA);
            bb += (b[i] - meanB) * (b[i] - meanB);
        }

        return ab / Math.Sqrt(aa * bb);
    }
}
