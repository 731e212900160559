using CsCheck;
using Forerun.Core.Numerics;
using Forerun.Inference.Kernels;

namespace Forerun.UnitTests.Inference.Kernels;

public unsafe class RowKernelTests
{
    private const int Count = 96;

    private static readonly RowKernel[] Kernels =
        [new RowKernel<Lanes512>(), new RowKernel<Lanes256>(), new RowKernel<Lanes128>()];

    private static readonly Gen<(float[] X, float[] Y)> Rows =
        Gen.Select(Gen.Float[-20f, 20f].Array[Count], Gen.Float[-2f, 2f].Array[Count]);

    [Fact]
    public void RmsNorm_IsTheFormulaWithTheSameBitsAtEveryLaneWidth() => Rows.Sample(
        (x, weight) =>
        {
            var scale = 1 / Math.Sqrt((x.Sum(v => (double)v * v) / Count) + 1e-5f);
            Check(
                (kernel, a, b) =>
                {
                    kernel.RmsNorm(a, b, a, Count, 1e-5f);
                },
                x,
                weight,
                i => x[i] * scale * weight[i]);
        },
        iter: 200,
        threads: 1);

    /// <summary>A head may have 16 elements; what lies behind it stays as it is.</summary>
    [Theory]
    [InlineData(16)]
    [InlineData(48)]
    public void RmsNorm_OddNumberOfSixteens_NormalisesThoseOnly(int count) => Rows.Sample(
        (x, weight) =>
        {
            var scale = 1 / Math.Sqrt((x.Take(count).Sum(v => (double)v * v) / count) + 1e-5f);
            Check(
                (kernel, a, b) => kernel.RmsNorm(a, b, a, count, 1e-5f),
                x,
                weight,
                i => i < count ? x[i] * scale * weight[i] : x[i]);
        },
        iter: 50,
        threads: 1);

    [Fact]
    public void SwiGlu_IsTheFormulaWithTheSameBitsAtEveryLaneWidth() => Rows.Sample(
        (gate, up) => Check(
            (kernel, a, b) => kernel.SwiGlu(a, b, Count), gate, up, i => gate[i] / (1 + Math.Exp(-gate[i])) * up[i]),
        iter: 200,
        threads: 1);

    [Fact]
    public void Add_IsTheSumWithTheSameBitsAtEveryLaneWidth() => Rows.Sample(
        (x, y) => Check((kernel, a, b) => kernel.Add(a, b, Count), x, y, i => x[i] + y[i]), iter: 50, threads: 1);

    [Fact]
    public void Rotate_IsARotationWithTheSameBitsAtEveryLaneWidth() => Rows.Sample(
        (head, angles) =>
        {
            float[] table = [.. angles[..(Count / 2)].Select(MathF.Cos), .. angles[..(Count / 2)].Select(MathF.Sin)];
            Check(
                (kernel, a, b) => kernel.Rotate(a, b, b + (Count / 2), Count, 0.25f),
                head,
                table,
                i => 0.25 * (i < Count / 2
                    ? (head[i] * table[i]) - ((double)head[i + (Count / 2)] * table[i + (Count / 2)])
                    : ((double)head[i] * table[i - (Count / 2)]) + (head[i - (Count / 2)] * table[i])));
        },
        iter: 200,
        threads: 1);

    private delegate void RowWork(RowKernel kernel, float* x, float* y);

    private static void Check(RowWork work, float[] x, float[] y, Func<int, double> formula)
    {
        var results = Array.ConvertAll(Kernels, kernel =>
        {
            using var a = ScalarReference.Native(x);
            using var b = ScalarReference.Native(y);
            work(kernel, a.Floats, b.Floats);
            return new ReadOnlySpan<float>(a.Floats, Count).ToArray();
        });
        Passes.AssertSameBits(results[0], results[1], "256-bit registers");
        Passes.AssertSameBits(results[0], results[2], "128-bit registers");
        for (var i = 0; i < Count; i++)
        {
            Assert.Equal(formula(i), results[0][i], 1e-5 * Math.Max(1, Math.Abs(formula(i))));
        }
    }
}
