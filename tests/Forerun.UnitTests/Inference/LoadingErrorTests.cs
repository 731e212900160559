using Forerun.Core.Numerics;
using Forerun.Inference;
using Forerun.Inference.Gguf;
using Forerun.UnitTests.Gguf;

namespace Forerun.UnitTests.Inference;

public class LoadingErrorTests
{
    private const int MutationsPerFile = 500;
    private const long MaxAllocatedBytes = 64 << 20;

    [Theory]
    [InlineData("smollm-gqa-tied-q4_1")]
    [InlineData("smollm-gqa-tied-f16")]
    public void Load_MutatedFile_RunsOrIsRefused(string folder)
    {
        CheckMutations(folder, File.ReadAllBytes(Assets.Tiny(folder)), MutationsPerFile);
    }

    [Theory]
    [InlineData(GgufTensorType.Q2_K)]
    [InlineData(GgufTensorType.Q3_K)]
    [InlineData(GgufTensorType.Q4_K)]
    [InlineData(GgufTensorType.Q5_K)]
    [InlineData(GgufTensorType.Q6_K)]
    public void Load_MutatedFileOfSuperBlocks_RunsOrIsRefused(GgufTensorType type) =>
        CheckMutations($"{type}", SuperBlockModels.Bytes(type), MutationsPerFile / 5);

    [Fact]
    public void LoadAndRun_DamagedWeights_DoesNotFail() =>
        CheckDamagedWeights(File.ReadAllBytes(Assets.Tiny("smollm-gqa-tied-q4_1")), 20);

    [Theory]
    [InlineData(GgufTensorType.Q2_K)]
    [InlineData(GgufTensorType.Q4_K)]
    public void LoadAndRun_DamagedSuperBlocks_DoesNotFail(GgufTensorType type) =>
        CheckDamagedWeights(SuperBlockModels.Bytes(type), 4);

    [Fact]
    public void Load_NoSuchFile_NamesThePath()
    {
        var path = Repository.Path("models", "no-such-model.gguf");
        var error = Assert.Throws<FileNotFoundException>(() => LanguageModel.Load(path));
        Assert.Equal(path, error.FileName);
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_InstructionSetThisMachineLacks_NamesThoseItHas()
    {
        var missing = Enum.GetValues<InstructionSet>().Except(InstructionSets.All).First();
        var error = Assert.Throws<PlatformNotSupportedException>(
            () => TinyModels.Load(TinyModels.Folders[0], instructionSet: missing));
        Assert.Equal(
            $"This machine cannot run the instruction set '{missing}'; it has "
            + $"{string.Join(", ", InstructionSets.All)}.",
            error.Message);
    }

    private static void CheckMutations(string name, byte[] original, int mutations)
    {
        var mutator = new GgufMutator(original);
        var refused = 0;
        for (var seed = 0; seed < mutations; seed++)
        {
            var bytes = mutator.Mutate(seed + 10_000);
            var before = GC.GetAllocatedBytesForCurrentThread();
            var error = Record.Exception(() => LoadAndRun(bytes));
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, MaxAllocatedBytes);
            Assert.True(error is null or InvalidDataException, $"Seed {seed} of {name}: {error}");
            refused += error is null ? 0 : 1;
        }

        Assert.InRange(refused, mutations / 4, mutations - 1);
    }

    private static void CheckDamagedWeights(byte[] original, int copies)
    {
        var head = new GgufMutator(original).HeadBytes;
        for (var seed = 0; seed < copies; seed++)
        {
            var random = new Random(seed);
            var bytes = (byte[])original.Clone();
            for (var i = 0; i < 5_000; i++)
            {
                bytes[random.Next(head, bytes.Length)] = (byte)random.Next(256);
            }

            LoadAndRun(bytes);
        }
    }

    private static void LoadAndRun(byte[] bytes)
    {
        using var model = LanguageModel.Load(
            GgufFile.FromBytes(bytes, "mutated.gguf"), new ModelLoadOptions { Threads = 2 });
        using var cache = model.CreateCache();
        using var pass = model.CreatePass(4, 1);
        var batch = new ForwardBatch();
        var count = Math.Min(4, cache.Capacity);
        batch.Add(cache, [.. Enumerable.Range(0, count).Select(i => i % model.Config.VocabSize)], 1);
        pass.Run(batch);
        Assert.Equal(model.Config.HeadRows, pass.Logits(0).Length);
    }
}
