using Forerun.Core.Numerics;

namespace Forerun.Inference;

/// <summary>What a model's weights become when they are loaded.</summary>
public enum WeightFormat
{
    /// <summary>Quantised tensors keep their numbers, floats become 8-bit; activations are quantised to int8.</summary>
    Packed,

    /// <summary>Everything in single precision, the KV cache too: slow, for reference runs.</summary>
    Original,

    /// <summary>As packed, with every matrix rounded to 4 bits per block of 32: faster and smaller, and less exact. For draft
    /// models, whose errors cost accepted tokens and never the text.</summary>
    FourBit,
}

/// <summary>How to load a model. Immutable.</summary>
public sealed record ModelLoadOptions
{
    /// <summary>Packed weights, all cores, fastest instruction set.</summary>
    public static ModelLoadOptions Default { get; } = new();

    /// <summary>The same for a draft model: four-bit weights.</summary>
    public static ModelLoadOptions Draft { get; } = new() { Weights = WeightFormat.FourBit };

    /// <summary>Worker threads of a pass, the caller's included; 0 (default) = one per core, at most 16.</summary>
    public int Threads { get; init; }

    /// <summary>Binds each worker thread to its own core (Linux). Default false.</summary>
    public bool Pin { get; init; }

    /// <summary>What the weights become. Default <see cref="WeightFormat.Packed"/>.</summary>
    public WeightFormat Weights { get; init; }

    /// <summary>Code path; null (default) = the fastest this machine has. All give the same bits.</summary>
    public InstructionSet? InstructionSet { get; init; }

    internal int WorkerCount => Threads > 0 ? Threads : Math.Min(Environment.ProcessorCount, 16);
}
