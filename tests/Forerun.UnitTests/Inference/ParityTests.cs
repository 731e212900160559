using Forerun.Inference;
using Forerun.UnitTests.Gguf;

namespace Forerun.UnitTests.Inference;

/// <summary>The bundled models against a reference in single precision on the same weights.</summary>
/// <remarks>Hidden states are compared relative to the largest element of their row: a few elements of this model's
/// residual stream are hundreds of times larger than the rest, and single-precision rounding scales with
/// them.</remarks>
public sealed class ParityTests
{
    private const float LogitTolerance = 5e-3f;
    private const float HiddenTolerance = 2e-5f;
    private const int Prompts = 4;

    private static readonly int[] ShortTexts = [4, 5, 6];
    private static readonly int[] AllTexts = [0, 1, 2, 3, 4, 5, 6, 7, 8];
    private static readonly SafeTensors Target = Golden("smollm2-135m-instruct");
    private static readonly GoldenText[] TargetTexts = GoldenText.Read(Target, "top_ids");
    private static readonly GoldenText[] DraftTexts = GoldenText.Read(Golden("forerun-draft"), "top_draft_ids");

    [Fact]
    public void Original_Target_LogitsAndHiddenStatesAreTheReference() => CheckOriginalTarget(ShortTexts, 1);

    [Fact]
    [Trait("Category", "Full")]
    public void Original_TargetAllTexts_LogitsAndHiddenStatesAreTheReference() => CheckOriginalTarget(AllTexts, 40);

    [Fact]
    public void Original_DraftModel_LogitsAreTheReference() => CheckOriginalDraftModel(ShortTexts);

    [Fact]
    [Trait("Category", "Full")]
    public void Original_DraftModelAllTexts_LogitsAreTheReference() => CheckOriginalDraftModel(AllTexts);

    [Fact]
    public void Packed_Target_DistributionsAreClose() => CheckPacked(Assets.Target, TargetTexts);

    [Fact]
    public void Packed_DraftModel_DistributionsAreClose() => CheckPacked(Assets.DraftModel, DraftTexts);

    [Fact]
    public void Packed_Target_PicksTheReferenceTokensWhereTheMarginIsClear() => CheckPackedGreedy(Prompts);

    [Fact]
    [Trait("Category", "Full")]
    public void Packed_TargetAllPrompts_PicksTheReferenceTokensWhereTheMarginIsClear() => CheckPackedGreedy(40);

    private static SafeTensors Golden(string model) =>
        SafeTensors.Open(Repository.Path("models", model, "golden", "logits.safetensors"));

    private static void Tell(string line) => TestContext.Current.TestOutputHelper?.WriteLine(line);

    private static LanguageModel Load(string path, WeightFormat weights) =>
        LanguageModel.Load(path, new ModelLoadOptions { Weights = weights, Threads = 2 });

    private static void CheckOriginalTarget(int[] texts, int prompts)
    {
        using var model = Load(Assets.Target, WeightFormat.Original);
        foreach (var text in texts)
        {
            CheckStages(model, text);
        }

        foreach (var greedy in GoldenGreedy.Read().Take(prompts))
        {
            var steps = greedy.Margins.TakeWhile(margin => margin >= 0.01f).Count();
            var picked = Predict(model, greedy);
            Assert.Equal(greedy.Tokens[..steps], picked[..steps]);
        }
    }

    private static void CheckOriginalDraftModel(int[] texts)
    {
        using var model = Load(Assets.DraftModel, WeightFormat.Original);
        foreach (var text in texts)
        {
            var difference = DraftTexts[text].LargestDifference(model.Score(DraftTexts[text].Tokens));
            Assert.True(difference <= LogitTolerance, $"Text {text}: logits differ by {difference}.");
        }
    }

    private static void CheckPacked(string path, GoldenText[] texts)
    {
        using var model = Load(path, WeightFormat.Packed);
        var divergences = new List<double>();
        var same = 0;
        foreach (var text in texts)
        {
            var logits = model.Score(text.Tokens);
            divergences.AddRange(logits.Select((row, position) => text.Divergence(position, row)));
            same += logits.Where((row, position) => text.SameTop(position, row)).Count();
        }

        divergences.Sort();
        var high = divergences[(int)(0.99 * divergences.Count)];
        Tell($"KL mean {divergences.Average():F5}, p99 {high:F5}, same top {same} of {divergences.Count}.");
        Assert.InRange(divergences.Average(), -1e-3, 0.01);
        Assert.InRange(high, -1e-3, 0.1);
        Assert.InRange((double)same / divergences.Count, 0.96, 1);
    }

    private static void CheckPackedGreedy(int prompts)
    {
        using var model = Load(Assets.Target, WeightFormat.Packed);
        var (clear, same) = (0, 0);
        foreach (var greedy in GoldenGreedy.Read().Take(prompts))
        {
            var picked = Predict(model, greedy);
            var steps = Enumerable.Range(0, picked.Length).Where(i => greedy.Margins[i] >= 0.5f).ToArray();
            clear += steps.Length;
            same += steps.Count(i => picked[i] == greedy.Tokens[i]);
        }

        Tell($"Same token at {same} of {clear} steps with a clear margin.");
        Assert.InRange(same / (double)clear, 0.995, 1);
    }

    /// <summary>The most likely token at each step, the reference's tokens going before.</summary>
    private static int[] Predict(LanguageModel model, GoldenGreedy greedy)
    {
        var logits = model.Score([.. greedy.Prompt, .. greedy.Tokens[..^1]], greedy.Tokens.Length);
        return Array.ConvertAll(logits, row => Distributions.Top(row));
    }

    private static void CheckStages(LanguageModel model, int text)
    {
        var golden = TargetTexts[text];
        var stored = Target.Values<float>($"{text}.hidden_last");
        var shape = Target.Shape($"{text}.hidden_last");
        using var cache = model.CreateCache();
        using var pass = model.CreatePass(golden.Tokens.Length, golden.Tokens.Length);
        var batch = new ForwardBatch();
        batch.Add(cache, golden.Tokens, golden.Tokens.Length);
        pass.Begin(batch);
        int[] stages = [0, 1, 5, 10, 15, 20, 25, 29];
        for (var stage = 0; stage < stages.Length; stage++)
        {
            pass.RunLayers(stages[stage]);
            for (var i = 0; i < shape[1]; i++)
            {
                var expected = stored.Slice(((stage * shape[1]) + i) * shape[2], shape[2]);
                var actual = pass.HiddenStates(golden.Tokens.Length - shape[1] + i);
                HiddenStates.AssertClose(expected, actual, HiddenTolerance, $"Text {text}, stage {stages[stage]}");
            }
        }

        pass.RunLayers(model.Config.NumHiddenLayers);
        pass.RunHead();
        float[][] logits = [.. Enumerable.Range(0, golden.Tokens.Length).Select(row => pass.Logits(row).ToArray())];
        var difference = MathF.Max(golden.LargestDifference(logits), LargestProbeDifference(text, logits));
        Tell($"Text {text}: largest logit difference {difference}.");
        Assert.True(difference <= LogitTolerance, $"Text {text}: logits differ by {difference}.");
    }

    private static float LargestProbeDifference(int text, float[][] logits)
    {
        var ids = Target.Values<int>("probe_ids");
        var probes = Target.Values<float>($"{text}.probe_logits");
        var largest = 0f;
        for (var i = 0; i < probes.Length; i++)
        {
            largest = MathF.Max(largest, MathF.Abs(probes[i] - logits[i / ids.Length][ids[i % ids.Length]]));
        }

        return largest;
    }
}
