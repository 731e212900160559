using System.Numerics;

namespace Forerun.Core.Sampling;

/// <summary>Scans of a row of logits. Pure; thread-safe.</summary>
internal static class Logits
{
    /// <summary>The first index of the largest of <paramref name="logits"/>, <c>[n]</c>.</summary>
    /// <exception cref="ArgumentException">A logit is NaN or +infinity, or none is above -infinity.</exception>
    public static int ArgMax(ReadOnlySpan<float> logits)
    {
        var largest = Max(logits);
        if (!float.IsFinite(largest))
        {
            ThrowUnusable(logits);
        }

        var wanted = new Vector<float>(largest);
        var i = 0;
        while (i <= logits.Length - Vector<float>.Count && !Vector.EqualsAny(new Vector<float>(logits[i..]), wanted))
        {
            i += Vector<float>.Count;
        }

        while (logits[i] != largest)
        {
            i++;
        }

        return i;
    }

    /// <summary>How far <paramref name="best"/> lies above the largest of the others, at least two in all.</summary>
    public static float Lead(ReadOnlySpan<float> logits, int best) =>
        logits[best] - MathF.Max(
            best == 0 ? float.NegativeInfinity : Max(logits[..best]),
            best == logits.Length - 1 ? float.NegativeInfinity : Max(logits[(best + 1)..]));

    /// <summary>The largest value; NaN when one is NaN.</summary>
    private static float Max(ReadOnlySpan<float> logits)
    {
        var largest = new Vector<float>(float.NegativeInfinity);
        var numbers = Vector<int>.AllBitsSet;
        var i = 0;
        for (; i <= logits.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var values = new Vector<float>(logits[i..]);
            numbers &= Vector.Equals(values, values);
            largest = Vector.MaxNative(largest, values);
        }

        var max = numbers == Vector<int>.AllBitsSet ? float.NegativeInfinity : float.NaN;
        for (var lane = 0; lane < Vector<float>.Count; lane++)
        {
            max = MathF.Max(max, largest[lane]);
        }

        for (; i < logits.Length; i++)
        {
            max = MathF.Max(max, logits[i]);
        }

        return max;
    }

    private static void ThrowUnusable(ReadOnlySpan<float> logits)
    {
        for (var i = 0; i < logits.Length; i++)
        {
            if (float.IsNaN(logits[i]) || float.IsPositiveInfinity(logits[i]))
            {
                throw new ArgumentException(
                    $"A token cannot be chosen: logits must be numbers below infinity, but row {i} of {logits.Length} "
                    + $"is {(float.IsNaN(logits[i]) ? "NaN" : "infinite")}. The model's weights are broken.",
                    nameof(logits));
            }
        }

        throw new ArgumentException(
            $"A token cannot be chosen: at least one of {logits.Length} logits must be above -infinity, but none is. "
            + "The model's weights are broken.",
            nameof(logits));
    }
}
