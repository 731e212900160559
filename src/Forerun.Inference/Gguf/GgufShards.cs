using System.Collections.Immutable;

namespace Forerun.Inference.Gguf;

/// <summary>Finds the shards of a split model, of which any one names all: <c>NAME-00001-of-00003.gguf</c>. The first
/// has the keys, each some of the tensors.</summary>
internal static class GgufShards
{
    private const string NumberKey = "split.no";
    private const string CountKey = "split.count";
    private const string TensorCountKey = "split.tensors.count";

    /// <summary>Opens a file and, if it is a shard, the others too, first to last.</summary>
    /// <exception cref="InvalidDataException">The shards do not belong together.</exception>
    /// <exception cref="FileNotFoundException">One is missing.</exception>
    public static ImmutableArray<GgufShard> Open(string path)
    {
        var named = GgufShard.Open(path);

        // A model that was put together again says 0.
        if (CountOf(named) <= 1)
        {
            return [named];
        }

        using (named)
        {
            return OpenAll(PrefixOf(path, named), named);
        }
    }

    private static ImmutableArray<GgufShard> OpenAll(string prefix, GgufShard named)
    {
        var shards = new List<GgufShard>();
        try
        {
            for (var number = 0; number < CountOf(named); number++)
            {
                shards.Add(OpenOne(prefix, named, number));
            }

            CheckTensors(shards);
            return [.. shards];
        }
        catch
        {
            shards.ForEach(shard => shard.Dispose());
            throw;
        }
    }

    private static GgufShard OpenOne(string prefix, GgufShard named, int number)
    {
        var count = CountOf(named);
        var path = $"{prefix}{Suffix(number, count)}";
        if (!File.Exists(path))
        {
            throw new FileNotFoundException(
                $"Shard \"{Path.GetFileName(path)}\" is missing: \"{named.Name}\" is one of {count} shards. Put all of them "
                + "into one folder.",
                path);
        }

        var shard = GgufShard.Open(path, number);
        var (actualNumber, actualCount) = (NumberOf(shard), CountOf(shard));
        if ((actualNumber, actualCount) == (number, count))
        {
            return shard;
        }

        using (shard)
        {
            throw Broken(
                shard,
                $"it says that it is shard {actualNumber + 1L} of {actualCount}, its name {number + 1} of {count}.");
        }
    }

    /// <summary>No tensor twice, and as many in all as every shard says.</summary>
    private static void CheckTensors(List<GgufShard> shards)
    {
        var homes = new Dictionary<string, GgufShard>();
        foreach (var shard in shards)
        {
            foreach (var name in shard.Tensors.Keys)
            {
                if (!homes.TryAdd(name, shard))
                {
                    throw Broken(shard, $"tensor \"{name}\" is in \"{homes[name].Name}\" too.");
                }
            }
        }

        foreach (var shard in shards)
        {
            var stated = shard.Metadata.FindInt32(TensorCountKey) ?? homes.Count;
            if (stated != homes.Count)
            {
                throw Broken(shard, $"it says that the shards have {stated} tensors in all; they have {homes.Count}.");
            }
        }
    }

    /// <summary>The path up to the number, which the name must have.</summary>
    private static string PrefixOf(string path, GgufShard shard)
    {
        var suffix = Suffix(NumberOf(shard), CountOf(shard));
        return path.EndsWith(suffix, StringComparison.Ordinal)
            ? path[..^suffix.Length]
            : throw Broken(
                shard,
                $"it is shard {NumberOf(shard) + 1L} of {CountOf(shard)}, so that its name must end in \"{suffix}\".");
    }

    private static string Suffix(int number, int count) => $"-{number + 1L:D5}-of-{count:D5}.gguf";

    private static int CountOf(GgufShard shard) => shard.Metadata.FindInt32(CountKey) ?? 1;

    private static int NumberOf(GgufShard shard) => shard.Metadata.FindInt32(NumberKey) ?? 0;

    private static InvalidDataException Broken(GgufShard shard, string what) => shard.Metadata.Invalid(
        $"{what} Get all shards of one model again, or merge them into one file.");
}
