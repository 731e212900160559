using Forerun.Inference;
using Forerun.Inference.Gguf;
using static Forerun.UnitTests.Gguf.Assets;

namespace Forerun.UnitTests.Gguf;

public class ModelConfigTests
{
    [Fact]
    public void From_BundledTarget_ReadsEverything()
    {
        using var file = GgufFile.Open(Target);
        var config = ModelConfig.From(file);
        Assert.Equal(
            new ModelConfig
            {
                Architecture = "llama",
                Name = "Smollm2 135M 8k Lc100K Mix1 Ep2",
                HiddenSize = 576,
                IntermediateSize = 1536,
                NumHiddenLayers = 30,
                NumAttentionHeads = 9,
                NumKeyValueHeads = 3,
                HeadDim = 64,
                VocabSize = 49_152,
                MaxPositionEmbeddings = 8192,
                RmsNormEps = 1e-5f,
                RopeTheta = 100_000,
                RopeScalingFactor = 1,
                TieWordEmbeddings = true,
                DraftVocabulary = [],
            },
            config);
        Assert.Equal(49_152, config.HeadRows);
    }

    [Fact]
    public void From_BundledDraftModel_ReadsTheDraftVocabulary()
    {
        using var file = GgufFile.Open(DraftModel);
        var config = ModelConfig.From(file);
        Assert.Equal(12_288, config.HeadRows);
        Assert.Equal([2, 17, 18], config.DraftVocabulary[..3]);
        Assert.False(config.TieWordEmbeddings);
    }

    [Fact]
    public void From_LinearRope_ReadsTheFactorWithoutNeedingTheTokenizer()
    {
        using var file = GgufFile.Open(Tiny("llama-gqa-linear-rope"));
        var config = ModelConfig.From(file);
        Assert.Equal(4, config.RopeScalingFactor);
        Assert.Equal(2, config.NumKeyValueHeads);
        Assert.False(config.TieWordEmbeddings);
    }
}
