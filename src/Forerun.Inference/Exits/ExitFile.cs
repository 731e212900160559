using System.Collections.Immutable;
using System.Globalization;
using Forerun.Inference.Safetensors;

namespace Forerun.Inference.Exits;

/// <summary>The trained exits of one target: a safetensors file. Immutable.</summary>
/// <remarks>Metadata: format, target, numerics, layers, summary. Tensors: <c>shortlist</c> [n] I32; per exit layer e
/// <c>exit.e.down</c>, <c>.gate</c> [rank, hiddenSize] and <c>.up</c> [hiddenSize, rank] F16, <c>.gate_bias</c> [rank],
/// <c>.scale</c> and <c>.bias</c> [hiddenSize] and <c>.calibration</c> [2, 9] (greedy, sampled) F32.</remarks>
public sealed record ExitFile
{
    private const string Format = "forerun-exits-1";

    /// <summary><see cref="LanguageModel.Id"/> of the target.</summary>
    public required string TargetId { get; init; }

    /// <summary><see cref="LanguageModel.NumericsId"/> of the run that trained them; exits work with others too.</summary>
    public required string NumericsId { get; init; }

    /// <summary>How they were trained, in a sentence.</summary>
    public required string Summary { get; init; }

    /// <summary>Elements of the target's hidden state.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Frequent tokens, strictly ascending.</summary>
    public required ImmutableArray<int> Shortlist { get; init; }

    /// <summary>The exits, by ascending layer.</summary>
    public required ImmutableArray<ExitAdapter> Exits { get; init; }

    /// <summary>Reads a file.</summary>
    /// <exception cref="InvalidDataException">It is damaged or of another format.</exception>
    public static ExitFile Open(string path) => From(SafetensorsFile.Open(path));

    /// <summary>Takes the exits out of a safetensors file.</summary>
    /// <exception cref="InvalidDataException">It is damaged or of another format.</exception>
    public static ExitFile From(SafetensorsFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        if (file.Text("format") is var format && format != Format)
        {
            throw file.Damaged($"its format is \"{format}\", expected \"{Format}\"");
        }

        var layers = Layers(file);
        var shortlist = file.Tensor("shortlist", SafetensorsType.I32, -1).Values<int>().ToImmutableArray();
        ThrowIfNotAscending(file, "the shortlist", shortlist.AsSpan());
        var hiddenSize = file.Tensor($"exit.{layers[0]}.bias", SafetensorsType.F32, -1).Shape[0];
        return new ExitFile
        {
            TargetId = file.Text("target"),
            NumericsId = file.Text("numerics"),
            Summary = file.Text("summary"),
            HiddenSize = hiddenSize,
            Shortlist = shortlist,
            Exits = [.. layers.Select(layer => ReadExit(file, layer, hiddenSize))],
        };
    }

    /// <summary>Only the exits after these layers; empty = all of the file.</summary>
    /// <exception cref="InvalidDataException">It lacks one of them.</exception>
    public ExitFile Only(params ReadOnlySpan<int> layers)
    {
        foreach (var layer in layers)
        {
            if (!Exits.Any(exit => exit.Layer == layer))
            {
                throw new InvalidDataException(
                    $"The exit file has no exit after layer {layer}; it has {string.Join(", ", Exits.Select(exit => exit.Layer))}. Choose among these, or train it.");
            }
        }

        int[] wanted = [.. layers];
        return wanted.Length == 0 ? this : this with { Exits = [.. Exits.Where(exit => wanted.Contains(exit.Layer))] };
    }

    /// <summary>Writes the file, whole or not at all.</summary>
    public void Write(string path)
    {
        List<SafetensorsTensor> tensors = [SafetensorsTensor.Of("shortlist", [Shortlist.Length], Shortlist.AsSpan())];
        foreach (var exit in Exits)
        {
            var name = $"exit.{exit.Layer}.";
            tensors.Add(Halves(name + "down", [exit.Rank, HiddenSize], exit.Down));
            tensors.Add(Halves(name + "gate", [exit.Rank, HiddenSize], exit.Gate));
            tensors.Add(Halves(name + "up", [HiddenSize, exit.Rank], exit.Up));
            tensors.Add(SafetensorsTensor.Of(name + "gate_bias", [exit.Rank], exit.GateBias));
            tensors.Add(SafetensorsTensor.Of(name + "scale", [HiddenSize], exit.Scale));
            tensors.Add(SafetensorsTensor.Of(name + "bias", [HiddenSize], exit.Bias));
            tensors.Add(SafetensorsTensor.Of(
                name + "calibration", [2, ExitCalibration.Length], [.. exit.Greedy.ToArray(), .. exit.Sampled.ToArray()]));
        }

        SafetensorsWriter.Write(path, Metadata(), tensors);
    }

    private Dictionary<string, string> Metadata() => new()
    {
        ["format"] = Format,
        ["target"] = TargetId,
        ["numerics"] = NumericsId,
        ["summary"] = Summary,
        ["layers"] = string.Join(',', Exits.Select(exit => exit.Layer)),
    };

    private static SafetensorsTensor Halves(string name, int[] shape, float[] values) =>
        SafetensorsTensor.Of(name, shape, Array.ConvertAll(values, value => (Half)value));

    private static ImmutableArray<int> Layers(SafetensorsFile file)
    {
        var text = file.Text("layers");
        var layers = ImmutableArray.CreateBuilder<int>();
        foreach (var part in text.Split(','))
        {
            layers.Add(int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var layer) && layer > 0
                ? layer
                : throw file.Damaged($"its layers are \"{text}\", expected ascending numbers from 1 with commas between them"));
        }

        ThrowIfNotAscending(file, "the layers", layers.ToArray());
        return layers.ToImmutable();
    }

    private static ExitAdapter ReadExit(SafetensorsFile file, int layer, int hiddenSize)
    {
        var name = $"exit.{layer}.";
        var rank = file.Tensor(name + "gate_bias", SafetensorsType.F32, -1).Shape[0];
        if (rank % 32 != 0)
        {
            throw file.Damaged($"exit {layer} has rank {rank}, expected a multiple of 32");
        }

        var calibration = Numbers(file, name + "calibration", SafetensorsType.F32, 2, ExitCalibration.Length);
        return new ExitAdapter
        {
            Layer = layer,
            Rank = rank,
            Scale = Numbers(file, name + "scale", SafetensorsType.F32, hiddenSize),
            Down = Numbers(file, name + "down", SafetensorsType.F16, rank, hiddenSize),
            Gate = Numbers(file, name + "gate", SafetensorsType.F16, rank, hiddenSize),
            GateBias = Numbers(file, name + "gate_bias", SafetensorsType.F32, rank),
            Up = Numbers(file, name + "up", SafetensorsType.F16, hiddenSize, rank),
            Bias = Numbers(file, name + "bias", SafetensorsType.F32, hiddenSize),
            Greedy = ExitCalibration.From(calibration.AsSpan(0, ExitCalibration.Length)),
            Sampled = ExitCalibration.From(calibration.AsSpan(ExitCalibration.Length)),
        };
    }

    private static float[] Numbers(SafetensorsFile file, string name, SafetensorsType type, params ReadOnlySpan<int> shape)
    {
        var values = file.Tensor(name, type, shape).ToFloats();
        return Array.TrueForAll(values, float.IsFinite) ? values
            : throw file.Damaged($"tensor \"{name}\" holds numbers that are not finite");
    }

    private static void ThrowIfNotAscending(SafetensorsFile file, string what, ReadOnlySpan<int> values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            if (values[i] < 0 || (i > 0 && values[i] <= values[i - 1]))
            {
                throw file.Damaged($"{what} must ascend from 0 or more, got {values[i]} at {i}");
            }
        }
    }
}
