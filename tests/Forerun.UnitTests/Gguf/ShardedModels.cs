namespace Forerun.UnitTests.Gguf;

/// <summary>A tiny model in shards, as llama.cpp splits models: the keys in the first, the tensors in turn. In a folder
/// of its own, which disposing deletes.</summary>
internal sealed class ShardedModels : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("forerun-shards-");

    public ShardedModels(string tinyFolder, int count)
    {
        var model = GgufBuilder.Read(File.ReadAllBytes(Assets.Tiny(tinyFolder)));
        var names = model.TensorNames.ToArray();
        Shards = [.. Enumerable.Range(0, count).Select(number =>
        {
            var shard = model.Only(names.Where((_, i) => i % count == number));
            return (number == 0 ? shard : shard.WithoutKeys())
                .Add("split.no", (ushort)number).Add("split.count", (ushort)count)
                .Add("split.tensors.count", names.Length);
        })];
        for (var number = 0; number < count; number++)
        {
            Write(number);
        }
    }

    /// <summary>What the files hold; a change counts once it is written.</summary>
    public GgufBuilder[] Shards { get; }

    /// <summary>The path of a shard, from 0.</summary>
    public string Path(int number) =>
        System.IO.Path.Combine(_folder.FullName, $"tiny-{number + 1:D5}-of-{Shards.Length:D5}.gguf");

    /// <summary>Writes a shard's file.</summary>
    public void Write(int number) => File.WriteAllBytes(Path(number), Shards[number].Build());

    public void Dispose() => _folder.Delete(recursive: true);
}
