using System.Text.Json;
using Forerun.Inference;
using Forerun.UnitTests.Gguf;

namespace Forerun.UnitTests.Inference;

/// <summary>The tiny models against a reference in single precision: every logit, every hidden state.</summary>
public class TinyParityTests
{
    private const int Texts = 3;
    private const float LogitTolerance = 2e-3f;

    /// <summary>Of the largest element of a row; four layers of single-precision rounding.</summary>
    private const float HiddenTolerance = 1e-5f;

    public static TheoryData<string> Folders => [.. TinyModels.Folders];

    [Theory]
    [MemberData(nameof(Folders))]
    public void Original_EveryLogitAndHiddenStateIsTheReference(string folder)
    {
        using var model = TinyModels.Load(folder, WeightFormat.Original, threads: 2);
        Check(model, Golden(folder));
    }

    public static TheoryData<string> OtherShapes => [.. TinyModels.OtherShapes];

    /// <summary>A KV head per query head, an untied head, scaled rotary frequencies, biases, norms of queries and keys;
    /// with the model's own tokenizer.</summary>
    [Theory]
    [MemberData(nameof(OtherShapes))]
    public void Original_OtherShapes_EveryLogitAndHiddenStateIsTheReference(string folder)
    {
        using var model = TinyModels.Load(folder, WeightFormat.Original, threads: 2);
        Check(model, Golden(folder));
    }

    public static TheoryData<string> All => [.. TinyModels.Folders, .. TinyModels.OtherShapes];

    [Theory]
    [MemberData(nameof(All))]
    public void Encode_TextsOfTheReference_GiveItsTokens(string folder)
    {
        using var model = TinyModels.Load(folder);
        var golden = Golden(folder);
        var texts = JsonSerializer.Deserialize<string[]>(golden.Metadata("texts"))!;
        for (var text = 0; text < Texts; text++)
        {
            int[] begin = model.Tokenizer.BeginToken is { } token ? [token] : [];
            int[] tokens = [.. begin, .. model.Tokenizer.Encode(texts[text])];
            Assert.Equal(golden.Values<int>($"{text}.ids").ToArray(), tokens);
        }
    }

    private static SafeTensors Golden(string folder) =>
        SafeTensors.Open(Repository.Path("tests", "assets", "tiny", folder, "golden.safetensors"));

    private static void Check(LanguageModel model, SafeTensors golden)
    {
        for (var text = 0; text < Texts; text++)
        {
            var tokens = golden.Values<int>($"{text}.ids");
            CheckStages(model, golden, text, tokens);
            CheckGreedy(model, golden, text, tokens);
        }
    }

    private static void CheckStages(LanguageModel model, SafeTensors golden, int text, ReadOnlySpan<int> tokens)
    {
        using var cache = model.CreateCache();
        using var pass = model.CreatePass(tokens.Length, tokens.Length);
        var batch = new ForwardBatch();
        batch.Add(cache, tokens, tokens.Length);
        pass.Begin(batch);
        var hiddenSize = model.Config.HiddenSize;
        for (var layers = 0; layers < model.Config.NumHiddenLayers; layers++)
        {
            pass.RunLayers(layers);
            var hidden = golden.Values<float>($"{text}.hidden.{layers}");
            for (var row = 0; row < tokens.Length; row++)
            {
                HiddenStates.AssertClose(
                    hidden.Slice(row * hiddenSize, hiddenSize),
                    pass.HiddenStates(row),
                    HiddenTolerance,
                    $"Text {text}, row {row}, after {layers} layers");
            }
        }

        pass.RunLayers(model.Config.NumHiddenLayers);
        pass.RunHead();
        var logits = golden.Values<float>($"{text}.logits");
        var difference = 0f;
        for (var i = 0; i < logits.Length; i++)
        {
            var actual = pass.Logits(i / model.Config.VocabSize)[i % model.Config.VocabSize];
            difference = MathF.Max(difference, MathF.Abs(logits[i] - actual));
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"Text {text}: largest logit difference {difference}.");
        Assert.True(difference <= LogitTolerance, $"Text {text}: logits differ by {difference}.");
    }

    private static void CheckGreedy(LanguageModel model, SafeTensors golden, int text, ReadOnlySpan<int> tokens)
    {
        using var cache = model.CreateCache();
        var next = Distributions.Top(model.Append(cache, tokens, 1)[0]);
        var expected = golden.Values<int>($"{text}.greedy");
        var margins = golden.Values<float>($"{text}.greedy_margin");
        for (var step = 0; step < expected.Length && margins[step] >= 0.01f; step++)
        {
            Assert.Equal(expected[step], next);
            next = Distributions.Top(model.Append(cache, [next])[0]);
        }
    }
}
