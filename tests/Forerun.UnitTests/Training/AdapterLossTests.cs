using Forerun.Training;

namespace Forerun.UnitTests.Training;

/// <summary>Gradients by hand against finite differences of the loss.</summary>
public class AdapterLossTests
{
    private const int Batch = 6;
    private const int Rank = 32;
    private const int HiddenSize = 32;
    private const int Tokens = 24;

    private readonly Random _random = new(7);

    [Fact]
    public void Backward_EveryArray_IsTheFiniteDifference()
    {
        var weights = new AdapterWeights(Rank, HiddenSize);
        Array.ForEach(weights.All, values => Fill(values, 0.3f));
        var head = Values(Tokens * HiddenSize, 0.5f);
        var input = Values(Batch * HiddenSize, 1f);
        var target = Probabilities();
        var loss = new AdapterLoss(new Gemm(1), head, Batch, Rank, HiddenSize, 1e-5f);
        var gradient = new AdapterWeights(Rank, HiddenSize);
        loss.Forward(weights, input, target);
        loss.Backward(weights, input, target, gradient);
        for (var array = 0; array < weights.All.Length; array++)
        {
            var values = weights.All[array];
            for (var n = 0; n < 25; n++)
            {
                var at = _random.Next(values.Length);
                var kept = values[at];
                const float Step = 4e-3f;
                values[at] = kept + Step;
                var above = loss.Forward(weights, input, target);
                values[at] = kept - Step;
                var below = loss.Forward(weights, input, target);
                values[at] = kept;
                var expected = (above - below) / (2 * Step);
                Assert.True(
                    Math.Abs(expected - gradient.All[array][at]) <= 2e-4 + (0.02 * Math.Abs(expected)),
                    $"Array {array}, element {at}: gradient {gradient.All[array][at]}, finite difference {expected}.");
            }
        }

        Assert.Contains(gradient.All, values => values.Max(Math.Abs) > 0.01f);
    }

    [Fact]
    public void Forward_ExitEqualsTarget_LossIsZeroAndAllAgree()
    {
        var weights = new AdapterWeights(Rank, HiddenSize);
        var head = Values(Tokens * HiddenSize, 0.5f);
        var input = Values(Batch * HiddenSize, 1f);
        var loss = new AdapterLoss(new Gemm(1), head, Batch, Rank, HiddenSize, 0f);
        var target = new float[Batch * Tokens];
        for (var row = 0; row < Batch; row++)
        {
            var x = input.AsSpan(row * HiddenSize, HiddenSize).ToArray();
            var rms = Math.Sqrt(x.Average(value => (double)value * value));
            var logits = Enumerable.Range(0, Tokens)
                .Select(t => x.Select((value, i) => value / rms * head[(t * HiddenSize) + i]).Sum()).ToArray();
            var sum = logits.Sum(Math.Exp);
            for (var t = 0; t < Tokens; t++)
            {
                target[(row * Tokens) + t] = (float)(Math.Exp(logits[t]) / sum);
            }
        }

        Assert.Equal(0, loss.Forward(weights, input, target), 1e-5);
        Assert.Equal(Batch, loss.Agreed);
    }

    [Theory]
    [InlineData(1, 1, 8)]
    [InlineData(5, 3, 17)]
    [InlineData(70, 131, 64)]
    public void Multiply_AnyShape_IsThePlainProduct(int m, int n, int k)
    {
        var (a, b) = (Values(m * k, 1f), Values(n * k, 1f));
        var (one, two) = (new float[m * n], new float[m * n]);
        new Gemm(1).Multiply(a, b, one, m, n, k);
        new Gemm(2).Multiply(a, b, two, m, n, k);
        Assert.Equal(one, two);
        for (var i = 0; i < m; i++)
        {
            for (var j = 0; j < n; j++)
            {
                var expected = Enumerable.Range(0, k).Sum(p => (double)a[(i * k) + p] * b[(j * k) + p]);
                Assert.Equal(expected, one[(i * n) + j], 1e-4);
            }
        }

        Assert.Throws<ArgumentException>(() => new Gemm(1).Multiply(a, b, new float[(m * n) - 1], m, n, k));
    }

    private float[] Probabilities()
    {
        var target = Values(Batch * Tokens, 1f);
        for (var row = 0; row < Batch; row++)
        {
            var values = target.AsSpan(row * Tokens, Tokens);
            System.Numerics.Tensors.TensorPrimitives.SoftMax<float>(values, values);
        }

        return target;
    }

    private float[] Values(int count, float size)
    {
        var values = new float[count];
        Fill(values, size);
        return values;
    }

    private void Fill(float[] values, float size)
    {
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = (_random.NextSingle() - 0.5f) * 2 * size;
        }
    }
}
