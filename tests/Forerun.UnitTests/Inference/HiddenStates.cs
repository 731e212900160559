namespace Forerun.UnitTests.Inference;

/// <summary>Compares hidden states with reference values.</summary>
internal static class HiddenStates
{
    /// <summary>Every element within <paramref name="tolerance"/> of the reference, relative to the row's largest
    /// magnitude or 1.</summary>
    public static void AssertClose(
        ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, float tolerance, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        var (largest, difference) = (1f, 0f);
        for (var i = 0; i < expected.Length; i++)
        {
            largest = MathF.Max(largest, MathF.Abs(expected[i]));
            difference = MathF.Max(difference, MathF.Abs(expected[i] - actual[i]));
        }

        Assert.True(
            difference <= tolerance * largest,
            $"{what}: hidden states differ by {difference}, more than {tolerance} of the largest element {largest}.");
    }
}
