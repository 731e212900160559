using Forerun.Inference.Exits;
using Forerun.Inference.Safetensors;
using Forerun.UnitTests.Inference;

namespace Forerun.UnitTests.Exits;

public class ExitFileTests
{
    private const string Folder = "smollm-gqa-tied-q4_1";

    [Fact]
    public void Write_ThenOpen_GivesTheSameExits()
    {
        using var target = TinyModels.Load(Folder);
        var file = RandomExits.File(target, 1, 2);
        var read = ReadBack(file);
        Assert.Equal(file.TargetId, read.TargetId);
        Assert.Equal(file.NumericsId, read.NumericsId);
        Assert.Equal(file.Summary, read.Summary);
        Assert.Equal(file.Shortlist, read.Shortlist);
        Assert.Equal(file.HiddenSize, read.HiddenSize);
        foreach (var (expected, actual) in file.Exits.Zip(read.Exits))
        {
            Assert.Equal((expected.Layer, expected.Rank), (actual.Layer, actual.Rank));
            Assert.Equal(expected.Scale, actual.Scale);
            Assert.Equal(expected.Down, actual.Down);
            Assert.Equal(expected.Gate, actual.Gate);
            Assert.Equal(expected.GateBias, actual.GateBias);
            Assert.Equal(expected.Up, actual.Up);
            Assert.Equal(expected.Bias, actual.Bias);
            Assert.Equal((expected.Greedy, expected.Sampled), (actual.Greedy, actual.Sampled));
        }
    }

    [Fact]
    public void Load_OtherTarget_IsRefusedWithBothAndWhatToDo()
    {
        using var target = TinyModels.Load(Folder);
        var file = RandomExits.File(target, 1) with { TargetId = "other@1" };
        Assert.Equal(
            $"The exits were trained for \"other@1\", but the target is \"{target.Id}\". Use the exits of this target, or make them with train-exits.",
            Assert.Throws<InvalidDataException>(() => new ExitHeads(file, target)).Message);
    }

    [Fact]
    public void Load_ExitOrTokenBehindTheTarget_IsRefused()
    {
        using var target = TinyModels.Load(Folder);
        var file = RandomExits.File(target, 1);
        Assert.Contains(
            "The exits do not fit the target",
            Assert.Throws<InvalidDataException>(() => new ExitHeads(file with { Shortlist = [1_000_000] }, target)).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            $"layers to {target.Config.NumHiddenLayers}",
            Assert.Throws<InvalidDataException>(
                () => new ExitHeads(RandomExits.File(target, target.Config.NumHiddenLayers), target)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Load_SomeLayers_KeepsThese()
    {
        using var target = TinyModels.Load(Folder);
        var path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.safetensors");
        RandomExits.File(target, 1, 2).Write(path);
        using var heads = ExitHeads.Load(path, target, 2);
        Assert.Equal([2], heads.Layers);
        Assert.Contains(
            "has no exit after layer 3; it has 1, 2.",
            Assert.Throws<InvalidDataException>(() => ExitHeads.Load(path, target, 3)).Message,
            StringComparison.Ordinal);
        System.IO.File.Delete(path);
    }

    [Theory]
    [InlineData("format", "forerun-exits-9", "its format is \"forerun-exits-9\", expected \"forerun-exits-1\"")]
    [InlineData("layers", "1,x", "its layers are \"1,x\"")]
    [InlineData("layers", "2,1", "the layers must ascend")]
    [InlineData("layers", "1,3", "tensor \"exit.3.gate_bias\" is missing")]
    public void From_WrongMetadata_IsRefused(string key, string text, string problem)
    {
        using var target = TinyModels.Load(Folder);
        Check(RandomExits.File(target, 1, 2), metadata => metadata[key] = text, tensors => tensors, problem);
    }

    [Theory]
    [InlineData("shortlist", "the shortlist must ascend from 0 or more, got -1 at 0")]
    [InlineData("exit.1.down", "tensor \"exit.1.down\" holds numbers that are not finite")]
    public void From_WrongNumbers_IsRefused(string name, string problem)
    {
        using var target = TinyModels.Load(Folder);
        Check(
            RandomExits.File(target, 1, 2),
            _ => { },
            tensors => tensors.Select(tensor => tensor.Name == name ? tensor with { Bytes = Broken(tensor) } : tensor),
            problem);
    }

    private static byte[] Broken(SafetensorsTensor tensor)
    {
        var bytes = tensor.Bytes.ToArray();
        bytes.AsSpan(0, 4).Fill(0xFF);
        return bytes;
    }

    private static ExitFile ReadBack(ExitFile file)
    {
        var path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.safetensors");
        file.Write(path);
        var read = ExitFile.Open(path);
        System.IO.File.Delete(path);
        return read;
    }

    private static void Check(
        ExitFile file,
        Action<Dictionary<string, string>> changeMetadata,
        Func<IEnumerable<SafetensorsTensor>, IEnumerable<SafetensorsTensor>> changeTensors,
        string problem)
    {
        var path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.safetensors");
        file.Write(path);
        var read = SafetensorsFile.Open(path);
        System.IO.File.Delete(path);
        var metadata = read.Metadata.ToDictionary();
        changeMetadata(metadata);
        using var stream = new MemoryStream();
        SafetensorsWriter.Write(stream, metadata, [.. changeTensors(read.Tensors.Values)]);
        var changed = SafetensorsFile.FromBytes(stream.ToArray(), "x");
        Assert.Contains(
            problem, Assert.Throws<InvalidDataException>(() => ExitFile.From(changed)).Message, StringComparison.Ordinal);
    }
}
