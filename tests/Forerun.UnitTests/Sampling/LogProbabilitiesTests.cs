using CsCheck;
using Forerun.Core.Sampling;

namespace Forerun.UnitTests.Sampling;

/// <summary>Log probabilities of a row of logits, against the definition.</summary>
public class LogProbabilitiesTests
{
    private static readonly Gen<float[]> Rows =
        Gen.Frequency((9, Gen.Float[-30f, 30f]), (1, Gen.Const(float.NegativeInfinity))).Array[1, 200]
            .Where(row => row.Any(float.IsFinite));

    [Fact]
    public void Of_AnyRow_IsTheDefinition() => Gen.Select(Rows, Gen.Int[0, LogProbabilities.MaxTop], Gen.Int[0, 199]).Sample(
        (row, top, at) =>
        {
            var token = at % row.Length;
            var sum = row.Sum(logit => Math.Exp(logit));
            var actual = LogProbabilities.Of(row, token, top);
            AssertClose(row[token] - Math.Log(sum), actual.Chosen);
            var likeliest = row.Index().Where(entry => float.IsFinite(entry.Item))
                .OrderByDescending(entry => entry.Item).ThenBy(entry => entry.Index).Take(top).ToArray();
            Assert.Equal(likeliest.Select(entry => entry.Index), actual.Top.Select(entry => entry.Token));
            Assert.All(actual.Top, entry => AssertClose(row[entry.Token] - Math.Log(sum), entry.LogProbability));
        },
        iter: 500);

    [Fact]
    public void Of_BrokenRow_IsRefused() =>
        Assert.Throws<ArgumentException>(() => LogProbabilities.Of([0f, float.NaN], 0, 1));

    private static void AssertClose(double expected, float actual)
    {
        if (!double.IsNegativeInfinity(expected))
        {
            Assert.Equal(expected, actual, 1e-6 * Math.Max(1, Math.Abs(expected)));
        }
        else
        {
            Assert.Equal(float.NegativeInfinity, actual);
        }
    }
}
