using System.Runtime.InteropServices;
using Forerun.Inference;

namespace Forerun.UnitTests.Inference;

/// <summary>Runs tokens through a model and keeps what comes out.</summary>
internal static class Passes
{
    /// <summary>Appends tokens to a cache in one pass and returns the logits of the last ones.</summary>
    public static float[][] Append(
        this LanguageModel model, KvCache cache, ReadOnlySpan<int> tokens, int? logitRows = null)
    {
        var wanted = logitRows ?? tokens.Length;
        using var pass = model.CreatePass(tokens.Length, wanted);
        var batch = new ForwardBatch();
        batch.Add(cache, tokens, wanted);
        pass.Run(batch);
        return [.. Enumerable.Range(0, wanted).Select(row => pass.Logits(row).ToArray())];
    }

    /// <summary>Appends tokens, possibly none, without looking at logits.</summary>
    public static void AppendIfAny(this LanguageModel model, KvCache cache, ReadOnlySpan<int> tokens)
    {
        if (!tokens.IsEmpty)
        {
            model.Append(cache, tokens, 0);
        }
    }

    /// <summary>Logits of the last tokens of a text that begins at position 0.</summary>
    public static float[][] Score(this LanguageModel model, ReadOnlySpan<int> tokens, int? logitRows = null)
    {
        using var cache = model.CreateCache();
        return model.Append(cache, tokens, logitRows);
    }

    /// <summary>Fails at the first element that is not the same bits.</summary>
    public static void AssertSameBits(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        var at = MemoryMarshal.Cast<float, int>(expected).CommonPrefixLength(MemoryMarshal.Cast<float, int>(actual));
        if (at < expected.Length)
        {
            Assert.Fail($"{what}: element {at} is {actual[at]:R}, expected {expected[at]:R}.");
        }
    }

    /// <summary>As <see cref="AssertSameBits(ReadOnlySpan{float}, ReadOnlySpan{float}, string)"/>, row by
    /// row.</summary>
    public static void AssertSameBits(float[][] expected, float[][] actual, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var row = 0; row < expected.Length; row++)
        {
            AssertSameBits(expected[row], actual[row], $"{what}, row {row}");
        }
    }
}
