using CsCheck;
using Forerun.Core.Numerics;

namespace Forerun.UnitTests.Numerics;

/// <summary>Every lane width, and the scalar twin, give the same bits; widths that the machine lacks run in software.
/// </summary>
public class LaneMathTests
{
    private static readonly Gen<float[]> SixteenBitPatterns =
        Gen.Int.Select(BitConverter.Int32BitsToSingle).Array[16];

    [Fact]
    public void Log_AnyBitPattern_IsTheSameOnEveryWidth() =>
        SixteenBitPatterns.Sample(CheckLog, iter: 5_000);

    [Fact]
    public void Log_SpecialValues_IsTheSameOnEveryWidth() =>
        CheckLog([0f, -0f, 1f, -1f, float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.Epsilon,
            1.17549435e-38f, float.MaxValue, 0.70710677f, 0.7071068f, 1.4142135f, 1.4142137f, 2f, 0.5f]);

    [Fact]
    public void Exp_AnyNumber_IsTheSameOnEveryWidth()
    {
        Gen.Float[-100f, 100f].Array[16].Sample(CheckExp, iter: 5_000);
        SixteenBitPatterns.Select(x => x.Select(v => float.IsNaN(v) ? 0f : v).ToArray()).Sample(CheckExp, iter: 2_000);
    }

    [Fact]
    public void Log_OneAndPowersOfTwo_AreExact()
    {
        Assert.Equal(0f, DeterministicMath.Log(1f));
        Assert.Equal(MathF.Log(2f), DeterministicMath.Log(2f));
        Assert.Equal(1f, DeterministicMath.Exp(0f));
    }

    private static void CheckLog(float[] x) => CheckAll(
        x, DeterministicMath.Log, LaneMath.Log<Lanes128>, LaneMath.Log<Lanes256>, LaneMath.Log<Lanes512>);

    private static void CheckExp(float[] x) => CheckAll(
        x, DeterministicMath.Exp, LaneMath.Exp<Lanes128>, LaneMath.Exp<Lanes256>, LaneMath.Exp<Lanes512>);

    private static void CheckAll(
        float[] x,
        Func<float, float> scalar,
        Func<Lanes128, Lanes128> narrow,
        Func<Lanes256, Lanes256> middle,
        Func<Lanes512, Lanes512> wide)
    {
        var expected = Bits([.. x.Select(scalar)]);
        Assert.Equal(expected, Bits(Run(x, narrow)));
        Assert.Equal(expected, Bits(Run(x, middle)));
        Assert.Equal(expected, Bits(Run(x, wide)));
    }

    private static float[] Run<TLanes>(float[] x, Func<TLanes, TLanes> function)
        where TLanes : struct, ILanes<TLanes>
    {
        var result = new float[16];
        TLanes.Store(function(TLanes.Load(in x[0])), ref result[0]);
        return result;
    }

    private static int[] Bits(float[] x) => [.. x.Select(BitConverter.SingleToInt32Bits)];
}
