using Forerun.Inference;
using Forerun.Inference.Exits;
using Forerun.UnitTests.Inference;

namespace Forerun.UnitTests.Exits;

public class ExitScratchTests
{
    private const int Layer = 1;

    private static readonly int[] Text = TinyModels.Tokens(seed: 3, 7);

    public static TheoryData<string, WeightFormat> Models => new(
        from folder in TinyModels.Folders
        from weights in new[] { WeightFormat.Packed, WeightFormat.Original }
        select (folder, weights));

    [Theory]
    [InlineData("smollm-gqa-tied-f16")]
    [InlineData("smollm-gqa-tied-q4_1")]
    public void Run_OriginalWeights_IsThePlainFormula(string folder)
    {
        using var target = TinyModels.Load(folder, WeightFormat.Original);
        var file = RandomExits.File(target, Layer);
        using var heads = new ExitHeads(file, target);
        using var scratch = heads.CreateScratch(Text.Length, 4);
        scratch.SetCandidates([0, 5, 639]);
        var (hidden, _) = RandomExits.Hidden(target, Layer, Text);
        scratch.Run(0, hidden);
        var size = target.Config.HiddenSize;
        for (var row = 0; row < Text.Length; row++)
        {
            var state = PlainExit.State(file.Exits[0], hidden.AsSpan(row * size, size), target.Config.RmsNormEps);
            var expected = PlainExit.Logits(target, state, ExitHeads.HeadRows(target, [.. scratch.Tokens]));
            HiddenStates.AssertClose(expected, scratch.Logits(row), 1e-4f, $"row {row}");
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Run_AdapterOfZeros_GivesTheTargetsOwnLogits(string folder, WeightFormat weights)
    {
        using var target = TinyModels.Load(folder, weights);
        var file = RandomExits.File(target, Layer);
        var zeros = file.Exits[0] with
        {
            Up = new float[file.Exits[0].Up.Length],
            Bias = new float[file.HiddenSize],
        };
        using var heads = new ExitHeads(file with { Exits = [zeros] }, target);
        using var scratch = heads.CreateScratch(Text.Length, 4);
        scratch.SetCandidates([2, 638]);
        var (_, final) = RandomExits.Hidden(target, Layer, Text);
        scratch.Run(0, final);
        var logits = target.Score(Text);
        for (var row = 0; row < Text.Length; row++)
        {
            var expected = Array.ConvertAll(scratch.Tokens.ToArray(), token => logits[row][token]);
            if (weights == WeightFormat.Packed)
            {
                var state = PlainExit.State(zeros, final.AsSpan(row * file.HiddenSize, file.HiddenSize), target.Config.RmsNormEps);
                RoundedShortlist(heads, state, expected, scratch.Tokens);
            }

            HiddenStates.AssertClose(expected, scratch.Logits(row), weights == WeightFormat.Original ? 1e-4f : 0.02f, $"row {row}");
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Run_OtherRowsCandidatesAndPlace_SameBits(string folder, WeightFormat weights)
    {
        using var target = TinyModels.Load(folder, weights);
        var file = RandomExits.File(target, Layer);
        using var heads = new ExitHeads(file, target);
        using var every = new ExitHeads(file with { Shortlist = [.. Enumerable.Range(0, target.Config.VocabSize)] }, target);
        using var together = every.CreateScratch(Text.Length, 0);
        using var candidates = heads.CreateScratch(Text.Length, target.Config.VocabSize);
        using var alone = heads.CreateScratch(1, 3);
        var (hidden, _) = RandomExits.Hidden(target, Layer, Text);
        together.Run(0, hidden);
        candidates.SetCandidates([.. Enumerable.Range(0, target.Config.VocabSize)]);
        candidates.Run(0, hidden);
        var size = target.Config.HiddenSize;
        for (var row = 0; row < Text.Length; row++)
        {
            alone.SetCandidates([639 - row, row * 3, 639 - row]);
            alone.Run(0, hidden.AsSpan(row * size, size));
            var expected = Array.ConvertAll(alone.Tokens.ToArray(), token =>
                (heads.Shortlist.Contains(token) ? together : candidates).Logits(row)[token]);
            Passes.AssertSameBits(expected, alone.Logits(0), $"row {row}");
        }
    }

    [Fact]
    public void SetCandidates_AnyOrderAndDoubles_TokensAscendOnce()
    {
        using var target = TinyModels.Load("smollm-gqa-tied-q8_0");
        using var heads = new ExitHeads(RandomExits.File(target, Layer), target);
        using var scratch = heads.CreateScratch(1, 5);
        scratch.SetCandidates([639, 0, 4, 0, 1]);
        int[] expected = [.. heads.Shortlist.AsEnumerable().Union([0, 639]).Order()];
        Assert.Equal(expected, scratch.Tokens.ToArray());
        scratch.SetCandidates([]);
        Assert.Equal(heads.Shortlist, scratch.Tokens.ToArray());
        Assert.Throws<ArgumentException>(() => scratch.SetCandidates([1, 2, 3, 4, 5, 6]));
        Assert.Throws<ArgumentOutOfRangeException>(() => scratch.SetCandidates([target.Config.VocabSize]));
    }

    [Fact]
    public void Run_WrongLength_IsRefused()
    {
        using var target = TinyModels.Load("smollm-gqa-tied-q8_0");
        using var heads = new ExitHeads(RandomExits.File(target, Layer), target);
        using var scratch = heads.CreateScratch(2, 0);
        Assert.Throws<ArgumentException>(() => scratch.Run(0, new float[3 * target.Config.HiddenSize]));
        Assert.Throws<ArgumentException>(() => scratch.Run(0, new float[5]));
        Assert.Throws<ArgumentException>(() => scratch.Run(0, []));
    }

    /// <summary>A packed target's shortlist has the head in 4 bits; candidates have it as it is.</summary>
    private static void RoundedShortlist(ExitHeads heads, double[] state, float[] logits, ReadOnlySpan<int> tokens)
    {
        var rounded = PlainExit.Logits(
            heads.Target, state, ExitHeads.ShortlistRows(heads.Target, heads.Shortlist));
        for (var i = 0; i < rounded.Length; i++)
        {
            logits[tokens.BinarySearch(heads.Shortlist[i])] = rounded[i];
        }
    }
}
