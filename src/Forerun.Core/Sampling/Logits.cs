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

    /// <summary>The indexes of the largest of <paramref name="values"/>, largest first, the lower index first of equals.
    /// </summary>
    /// <param name="values">Numbers, <c>[n]</c>; those of -infinity are left out.</param>
    /// <param name="indexes">Receives indexes, <c>[count]</c>.</param>
    /// <param name="largest">Receives their values, <c>[count]</c>.</param>
    /// <returns>How many there are, at most count.</returns>
    public static int Largest(ReadOnlySpan<float> values, Span<int> indexes, Span<float> largest)
    {
        largest.Fill(float.NegativeInfinity);
        var count = 0;
        var i = 0;
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            if (Vector.GreaterThanAny(new Vector<float>(values[i..]), new Vector<float>(largest[^1])))
            {
                for (var lane = i; lane < i + Vector<float>.Count; lane++)
                {
                    Insert(values[lane], lane, indexes, largest, ref count);
                }
            }
        }

        for (; i < values.Length; i++)
        {
            Insert(values[i], i, indexes, largest, ref count);
        }

        return count;
    }

    private static void Insert(float value, int index, Span<int> indexes, Span<float> largest, ref int count)
    {
        if (!(value > largest[^1]))
        {
            return;
        }

        var at = count < largest.Length ? count++ : count - 1;
        for (; at > 0 && largest[at - 1] < value; at--)
        {
            (largest[at], indexes[at]) = (largest[at - 1], indexes[at - 1]);
        }

        (largest[at], indexes[at]) = (value, index);
    }

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
