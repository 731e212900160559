using Forerun.Inference.Safetensors;

namespace Forerun.Training;

/// <summary>A trained adapter in the work folder, in single precision.</summary>
internal static class Checkpoint
{
    private static readonly string[] Names = ["down", "gate", "gate_bias", "up", "bias"];

    /// <summary>Writes it.</summary>
    public static void Write(
        string path, IEnumerable<KeyValuePair<string, string>> origin, AdapterWeights weights, HeldOut ridge, HeldOut reached)
    {
        List<SafetensorsTensor> tensors = [.. Names.Select((name, i) =>
            SafetensorsTensor.Of(name, [weights.All[i].Length], weights.All[i]))];
        float[] scores = [(float)ridge.Loss, (float)ridge.Agreement, (float)reached.Loss, (float)reached.Agreement];
        tensors.Add(SafetensorsTensor.Of("scores", [scores.Length], scores));
        SafetensorsWriter.Write(path, origin, tensors);
    }

    /// <summary>Reads it.</summary>
    public static (AdapterWeights Trained, HeldOut Ridge, HeldOut Reached) Read(SafetensorsFile file, int rank, int hiddenSize)
    {
        var weights = new AdapterWeights(rank, hiddenSize);
        for (var i = 0; i < Names.Length; i++)
        {
            var values = weights.All[i];
            file.Tensor(Names[i], SafetensorsType.F32, values.Length).Values<float>().CopyTo(values);
        }

        var scores = file.Tensor("scores", SafetensorsType.F32, 4).Values<float>();
        return (weights, new HeldOut(scores[0], scores[1]), new HeldOut(scores[2], scores[3]));
    }
}
