using Forerun.Core.Numerics;
using Forerun.Inference;
using Forerun.Inference.Gguf;
using Forerun.UnitTests.Gguf;

namespace Forerun.UnitTests.Inference;

public class LoadingErrorTests
{
    /// <summary>Of each of 18 files: more than 2,000 over all families and tensor types.</summary>
    private const int MutationsPerFile = 112;
    private const long MaxAllocatedBytes = 64 << 20;

    public static TheoryData<string> Folders => [.. TinyModels.All];

    public static TheoryData<GgufTensorType> SuperBlockTypes => [.. SyntheticModel.SuperBlockTypes];

    [Theory]
    [MemberData(nameof(Folders))]
    public void Load_MutatedFile_RunsOrIsRefused(string folder) =>
        CheckMutations(folder, File.ReadAllBytes(Assets.Tiny(folder)), MutationsPerFile);

    [Theory]
    [MemberData(nameof(SuperBlockTypes))]
    public void Load_MutatedFileOfSuperBlocks_RunsOrIsRefused(GgufTensorType type) =>
        CheckMutations($"{type}", SyntheticModel.Bytes(type), MutationsPerFile);

    [Fact]
    public void LoadAndRun_DamagedWeights_DoesNotFail() =>
        CheckDamagedWeights(File.ReadAllBytes(Assets.Tiny("smollm-gqa-tied-q4_1")), 20);

    [Theory]
    [InlineData(GgufTensorType.Q2_K)]
    [InlineData(GgufTensorType.Q4_K)]
    public void LoadAndRun_DamagedSuperBlocks_DoesNotFail(GgufTensorType type) =>
        CheckDamagedWeights(SyntheticModel.Bytes(type), 4);

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
            float[] logits = [];
            var error = Record.Exception(() => logits = LoadAndRun(bytes));
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, MaxAllocatedBytes);
            Assert.True(error is null or InvalidDataException, $"Seed {seed} of {name}: {error}");
            refused += error is null ? 0 : 1;
            if (error is null)
            {
                Passes.AssertSameBits(LoadAndRun(bytes, InstructionSet.Portable), logits, $"Seed {seed} of {name}");
            }
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

    private static float[] LoadAndRun(byte[] bytes, InstructionSet? instructionSet = null)
    {
        using var model = LanguageModel.Load(
            GgufFile.FromBytes(bytes, "mutated.gguf"),
            new ModelLoadOptions { Threads = 2, InstructionSet = instructionSet });
        using var cache = model.CreateCache();
        using var pass = model.CreatePass(4, 1);
        var batch = new ForwardBatch();
        var count = Math.Min(4, cache.Capacity);
        batch.Add(cache, [.. Enumerable.Range(0, count).Select(i => i % model.Config.VocabSize)], 1);
        pass.Run(batch);
        Assert.Equal(model.Config.HeadRows, pass.Logits(0).Length);
        return pass.Logits(0).ToArray();
    }
}
