using Forerun.Inference;
using Forerun.Inference.Gguf;

namespace Forerun.UnitTests.Gguf;

public class SyntheticModelTests
{
    private const string PathVariable = "FORERUN_SYNTHETIC_MODEL";

    /// <summary>Writes a file in the shape of Llama-2-7B to measure with, 3.8 GB; docs/benchmarks.md has the command.
    /// </summary>
    [Fact(Explicit = true)]
    public void Write_ShapeOfLlama2InQ4K_IsAModel() => WriteLlama2(GgufTensorType.Q4_K);

    /// <summary>As <see cref="Write_ShapeOfLlama2InQ4K_IsAModel"/>, 7.2 GB.</summary>
    [Fact(Explicit = true)]
    public void Write_ShapeOfLlama2InQ8_IsAModel() => WriteLlama2(GgufTensorType.Q8_0);

    [Theory]
    [InlineData(GgufTensorType.Q4_K)]
    [InlineData(GgufTensorType.Q8_0)]
    public void Write_SmallShape_LoadsAndVerifies(GgufTensorType type)
    {
        using var stream = new MemoryStream();
        SyntheticModel.Write(stream, new SyntheticShape(2, 256, 768, 4, 4, 1000, 256, IsTied: false), type);
        using var model = LanguageModel.Load(
            GgufFile.FromBytes(stream.ToArray(), "synthetic.gguf"), new ModelLoadOptions { Threads = 1 });
        Assert.Equal((1000, 1000), (model.Config.VocabSize, model.Tokenizer.VocabSize));
        using var cache = model.CreateCache();
        using var pass = model.CreatePass(5, 5);
        var batch = new ForwardBatch();
        batch.Add(cache, [1, 640, 999, 3, 4], 5);
        pass.Run(batch);
        for (var row = 0; row < 5; row++)
        {
            Assert.All(pass.Logits(row).ToArray(), logit => Assert.True(float.IsFinite(logit)));
        }
    }

    private static void WriteLlama2(GgufTensorType type)
    {
        var path = Environment.GetEnvironmentVariable(PathVariable)
            ?? throw new InvalidOperationException($"Name the file to write in the variable {PathVariable}.");
        using (var stream = File.Create(path))
        {
            SyntheticModel.Write(stream, SyntheticShape.Llama2, type);
        }

        using var file = GgufFile.Open(path);
        var config = ModelConfig.From(file);
        Assert.Equal((32_000, 32, 4096), (config.VocabSize, config.NumHiddenLayers, config.HiddenSize));
    }
}
