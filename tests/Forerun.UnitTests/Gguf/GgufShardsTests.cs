using Forerun.Inference;
using Forerun.Inference.Gguf;
using Forerun.UnitTests.Inference;

namespace Forerun.UnitTests.Gguf;

public class GgufShardsTests
{
    private const string Folder = "smollm-gqa-tied-q4_0";

    [Theory]
    [InlineData(Folder, 3)]
    [InlineData("llama2-mha-spm", 2)]
    [InlineData("qwen3-qknorm", 5)]
    public void Load_AnyShard_SameBitsAsTheWholeFile(string folder, int count)
    {
        using var model = TinyModels.Load(folder);
        var tokens = TinyModels.Tokens(3, 20);
        using var sharded = new ShardedModels(folder, count);
        for (var number = 0; number < count; number++)
        {
            using var same = LanguageModel.Load(sharded.Path(number), new() { Threads = 2 });
            Passes.AssertSameBits(model.Score(tokens), same.Score(tokens), $"shard {number}");
            Assert.Equal((model.Id, model.Tokenizer.Fingerprint), (same.Id, same.Tokenizer.Fingerprint));
        }
    }

    [Fact]
    public void Open_Shards_AreOneFile()
    {
        using var sharded = new ShardedModels(Folder, 3);
        using var file = GgufFile.Open(sharded.Path(1));
        Assert.Equal((3, "tiny-00001-of-00003.gguf", 38), (file.ShardCount, file.Name, file.Tensors.Count));
        Assert.Equal(Enumerable.Range(0, 3).Sum(i => new FileInfo(sharded.Path(i)).Length), file.Length);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Open_ModelPutTogetherAgain_IsOneFile(int count)
    {
        using var sharded = new ShardedModels(Folder, 1);
        sharded.Shards[0].Set("split.count", (ushort)count);
        sharded.Write(0);
        using var file = GgufFile.Open(sharded.Path(0));
        Assert.Equal((1, 38), (file.ShardCount, file.Tensors.Count));
    }

    [Fact]
    public void Open_ShardMissing_NamesIt()
    {
        using var sharded = new ShardedModels(Folder, 3);
        File.Delete(sharded.Path(1));
        var error = Assert.Throws<FileNotFoundException>(() => GgufFile.Open(sharded.Path(2)));
        Assert.Equal(sharded.Path(1), error.FileName);
        Assert.Equal(
            "Shard \"tiny-00002-of-00003.gguf\" is missing: \"tiny-00003-of-00003.gguf\" is one of 3 shards. Put all of "
            + "them into one folder.",
            error.Message);
    }

    [Fact]
    public void Open_ShardRenamed_SaysHowItMustBeCalled()
    {
        using var sharded = new ShardedModels(Folder, 3);
        var path = sharded.Path(0).Replace("00001", "1", StringComparison.Ordinal);
        File.Move(sharded.Path(0), path);
        AssertBroken(path, "tiny-1-of-00003.gguf",
            "it is shard 1 of 3, so that its name must end in \"-00001-of-00003.gguf\".");
    }

    [Fact]
    public void Open_SameShardTwice_SaysWhichItIs()
    {
        using var sharded = new ShardedModels(Folder, 3);
        File.Copy(sharded.Path(2), sharded.Path(1), overwrite: true);
        AssertBroken(sharded.Path(0), "tiny-00002-of-00003.gguf",
            "it says that it is shard 3 of 3, its name 2 of 3.");
    }

    [Fact]
    public void Open_ShardOfAnotherSplit_SaysWhatItIs()
    {
        using var sharded = new ShardedModels(Folder, 3);
        sharded.Shards[1].Set("split.count", (ushort)4);
        sharded.Write(1);
        AssertBroken(sharded.Path(0), "tiny-00002-of-00003.gguf",
            "it says that it is shard 2 of 4, its name 2 of 3.");
    }

    [Fact]
    public void Open_FileThatIsNoShardAmongThem_IsRefused()
    {
        using var sharded = new ShardedModels(Folder, 3);
        File.Copy(Assets.Tiny(Folder), sharded.Path(1), overwrite: true);
        AssertBroken(sharded.Path(0), "tiny-00002-of-00003.gguf",
            "it says that it is shard 1 of 1, its name 2 of 3.");
    }

    [Fact]
    public void Open_TensorInTwoShards_NamesBoth()
    {
        using var sharded = new ShardedModels(Folder, 3);
        sharded.Shards[2].Tensor("output_norm.weight", 96);
        sharded.Write(2);
        var home = Enumerable.Range(1, 2).First(i => sharded.Shards[i - 1].TensorNames.Contains("output_norm.weight"));
        AssertBroken(sharded.Path(0), "tiny-00003-of-00003.gguf",
            $"tensor \"output_norm.weight\" is in \"tiny-{home:D5}-of-00003.gguf\" too.");
    }

    [Fact]
    public void Open_TensorsLost_TellsBothCounts()
    {
        using var sharded = new ShardedModels(Folder, 3);
        sharded.Shards[1].SetTensor(sharded.Shards[1].TensorNames.First(), default);
        sharded.Write(1);
        AssertBroken(sharded.Path(0), "tiny-00001-of-00003.gguf",
            "it says that the shards have 38 tensors in all; they have 37.");
    }

    [Theory]
    [InlineData(-1, 3)]
    [InlineData(int.MaxValue, int.MaxValue)]
    [InlineData(0, int.MaxValue)]
    public void Open_HostileNumbers_AreRefused(int number, int count)
    {
        using var sharded = new ShardedModels(Folder, 1);
        sharded.Shards[0].Set("split.no", number).Set("split.count", count);
        sharded.Write(0);
        Assert.Throws<InvalidDataException>(() => GgufFile.Open(sharded.Path(0)));
    }

    [Fact]
    public void Open_ShardCutOff_NamesItAndLetsGoOfAll()
    {
        using var sharded = new ShardedModels(Folder, 2);
        File.WriteAllBytes(sharded.Path(1), File.ReadAllBytes(sharded.Path(1))[..500]);
        var error = Assert.Throws<InvalidDataException>(() => GgufFile.Open(sharded.Path(0)));
        Assert.Contains("\"tiny-00002-of-00002.gguf\"", error.Message, StringComparison.Ordinal);

        // A file that is still mapped could not be written on every system.
        using var stream = new FileStream(sharded.Path(0), FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        Assert.True(stream.CanWrite);
    }

    private static void AssertBroken(string path, string name, string message) => Assert.Equal(
        $"\"{name}\" cannot be used: {message} Get all shards of one model again, or merge them into one file.",
        Assert.Throws<InvalidDataException>(() => GgufFile.Open(path)).Message);
}
