using System.Collections.Immutable;
using Forerun.Core.Decoding;
using Forerun.Edge;
using Forerun.Inference.Drafting;
using Forerun.UnitTests.Cloud;
using Microsoft.Extensions.Time.Testing;

namespace Forerun.UnitTests.Edge.Control;

/// <summary>Decodes known texts in a world of scripted times.</summary>
internal static class TimedDecoding
{
    /// <summary>What mode auto is compared with.</summary>
    public static ImmutableArray<DecodingMode> Fixed { get; } =
        [DecodingMode.Autoregressive, DecodingMode.Asynchronous, DecodingMode.Pipelined];

    /// <summary>One decoder over all texts, from the first one on. Of each text, the time after its first round and the tokens in it. Asserts that the
    /// texts come out.</summary>
    public static async Task<ImmutableArray<(double Ms, int Tokens)>> DecodeAsync(
        IDrafter model,
        ImmutableArray<RealText> texts,
        int length,
        WorldTimes times,
        DecodingMode mode,
        EdgeDecoderOptions? options = null,
        double branchCost = 0)
    {
        var clock = new FakeTimeProvider();
        var target = new TimedTarget([], times, clock);
        var drafter = new TimedDrafter(model, times, clock, branchCost)
        {
            Drafted = () => target.HasDrafted = true,
            IsInterruptible = branchCost > 0,
        };
        var decoder = new EdgeDecoder(target, drafter, options, clock);
        var taken = ImmutableArray.CreateBuilder<(double, int)>(texts.Length);
        foreach (var (prompt, answer) in texts)
        {
            target.Text = answer[..length];
            var request = new GenerationRequest { PromptTokens = prompt, MaxTokens = length, Mode = mode, IgnoreEndTokens = true };
            taken.Add(await DecodeAsync(decoder, request, target.Text));
        }

        return taken.MoveToImmutable();
    }

    /// <summary>Of several texts together.</summary>
    public static double MsPerToken(this IReadOnlyCollection<(double Ms, int Tokens)> taken) =>
        taken.Sum(one => one.Ms) / taken.Sum(one => one.Tokens);

    private static async Task<(double Ms, int Tokens)> DecodeAsync(EdgeDecoder decoder, GenerationRequest request, ImmutableArray<int> text)
    {
        List<DecodedRound> rounds = [];
        await foreach (var round in decoder.GenerateAsync(request, Deadline.Token))
        {
            rounds.Add(round);
        }

        Assert.Equal(text, rounds.SelectMany(round => round.Tokens));
        var behind = rounds.Skip(1).ToArray();
        return (behind.Sum(round => (round.DraftTime + round.WaitTime).TotalMilliseconds), behind.Sum(round => round.Tokens.Length));
    }
}
