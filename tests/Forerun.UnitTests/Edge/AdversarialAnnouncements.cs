using Forerun.Core.Decoding;

namespace Forerun.UnitTests.Edge;

/// <summary>What exits may say, and what broken ones do.</summary>
internal static class AdversarialAnnouncements
{
    /// <summary>Right, wrong, late, from the future, twice, out of order, out of range, or missing.</summary>
    public static Announcement? Any(Random random, Verdict verdict)
    {
        var layer = random.Next(1, 30);
        return random.Next(8) switch
        {
            0 => Right(random, verdict),
            1 => Wrong(random, verdict),
            2 => new Announcement(verdict.Round - 1, layer, 0, random.Next(600), 1f),
            3 => new Announcement(verdict.Round + 1, layer, 0, random.Next(600), 1f),
            4 => new Announcement(verdict.Round, layer, 1000, random.Next(600), 0.9f),
            5 => new Announcement(verdict.Round, layer, verdict.AcceptedCount, int.MaxValue, 0.9f),
            6 => new Announcement(verdict.Round, layer, verdict.AcceptedCount, verdict.NextToken, float.NaN),
            _ => null,
        };
    }

    public static Announcement Right(Random random, Verdict verdict) => new(
        verdict.Round, random.Next(1, 30), verdict.AcceptedCount, verdict.NextToken, 0.3f + (0.6f * random.NextSingle()));

    public static Announcement Wrong(Random random, Verdict verdict) => new(
        verdict.Round, random.Next(1, 30), random.Next(verdict.AcceptedCount + 1), (verdict.NextToken + 7) % 600, 1f);
}
