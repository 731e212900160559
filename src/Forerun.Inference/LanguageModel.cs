using System.Collections.Immutable;
using Forerun.Core.Numerics;
using Forerun.Inference.Execution;
using Forerun.Inference.Gguf;
using Forerun.Inference.Kernels;
using Forerun.Inference.Tokenization;
using Forerun.Inference.Weights;

namespace Forerun.Inference;

/// <summary>A model in memory: config, tokenizer and packed weights. Immutable and thread-safe; the state of a sequence
/// is a <see cref="KvCache"/>, the state of a computation a <see cref="ForwardPass"/>.</summary>
public sealed class LanguageModel : IDisposable
{
    private readonly ModelLoadOptions _options;

    private LanguageModel(GgufFile file, ModelLoadOptions options)
    {
        _options = options;
        Config = ModelConfig.From(file);
        Tokenizer = Tokenizer.From(file);
        ChatTemplate = ChatTemplate.From(file, out var problem);
        ChatTemplateProblem = problem;
        Id = ModelFingerprint.Of(file, Config);
        Rotary = new RotaryEmbedding(file, Config);
        Kernels = KernelSet.Create(options.InstructionSet ?? InstructionSets.Best);
        Workers = new WorkerPool(options.WorkerCount, options.Pin);

        // Building the tokenizer leaves several times its size behind; give that back before the weights come.
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        Weights = new TransformerWeights(file, Config, options.Weights, Workers);
        var original = options.Weights == WeightFormat.Original;
        ActivationFormat = original ? TileFormat.F32 : TileFormat.Q8;
        ActivationKernel = Kernels.Matrix(ActivationFormat);
        KvPool = new KvPagePool(new KvLayout(
            Config.NumHiddenLayers, Config.NumKeyValueHeads, Config.HeadDim, original ? KvFormat.F32 : KvFormat.F16));
    }

    /// <summary>Shapes and constants.</summary>
    public ModelConfig Config { get; }

    /// <summary>Text to token ids and back.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>How a conversation becomes a prompt; null when the file has no template that is supported.</summary>
    public ChatTemplate? ChatTemplate { get; }

    /// <summary>Why <see cref="ChatTemplate"/> is null, and what to do; null otherwise.</summary>
    public string? ChatTemplateProblem { get; }

    /// <summary>Tokenizer and chat template.</summary>
    public TextFormat TextFormat => new(Tokenizer, ChatTemplate, ChatTemplateProblem);

    /// <summary>Name and fingerprint: the same for the same file content.</summary>
    public string Id { get; }

    /// <summary>Which arithmetic the text depends on beside the file. Two machines with the same id and the same numerics
    /// id give the same bits.</summary>
    public string NumericsId => _options.Weights switch
    {
        WeightFormat.Original => "f32-v1",
        WeightFormat.FourBit => "int4-v1",
        _ => "int8-v1",
    };

    /// <summary>Token ids of the head's rows; empty when row i is token i.</summary>
    public ImmutableArray<int> DraftVocabulary => Config.DraftVocabulary;

    /// <summary>Bytes of weights that one decode step reads.</summary>
    public long WeightBytesPerPass => Weights.BytesPerPass;

    /// <summary>Weights that a pass multiplies each row with: all matrices, the head included.</summary>
    public long WeightsPerPass => Weights.CountPerPass;

    /// <summary>Bytes of keys and values per position.</summary>
    public long KvBytesPerPosition => KvPool.Layout.PageBytes / KvPage.Positions;

    /// <summary>Bytes of KV pages in use by all caches.</summary>
    public long KvBytesInUse => KvPool.BytesInUse;

    /// <summary>The code path in use.</summary>
    public InstructionSet InstructionSet => Kernels.InstructionSet;

    /// <summary>Worker threads of a pass.</summary>
    public int Threads => Workers.Count;

    internal KernelSet Kernels { get; }

    internal WorkerPool Workers { get; }

    internal TransformerWeights Weights { get; }

    internal RotaryEmbedding Rotary { get; }

    /// <summary>The tile format of float weights under the model's options.</summary>
    internal TileFormat ActivationFormat { get; }

    internal MatrixKernel ActivationKernel { get; }

    internal KvPagePool KvPool { get; }

    /// <summary>Loads a GGUF file.</summary>
    /// <param name="path">The file; it stays mapped and must not change while the model is in use.</param>
    /// <param name="options">How; null = <see cref="ModelLoadOptions.Default"/>.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is damaged, or uses something that is not supported.</exception>
    public static LanguageModel Load(string path, ModelLoadOptions? options = null) =>
        Load(GgufFile.Open(path), options ?? ModelLoadOptions.Default);

    internal static LanguageModel Load(GgufFile file, ModelLoadOptions options)
    {
        try
        {
            return new LanguageModel(file, options);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>What a matrix of a tensor type becomes under <see cref="WeightFormat.Packed"/> and what that does to
    /// its values, such as "Q8, exact"; null when the type is not supported.</summary>
    public static string? PackedFormat(GgufTensorType type) => TensorDecoder.Supported.Contains(type)
        ? $"{TilePacker.FormatOf(type, WeightFormat.Packed)}, {BlockPacker.RuleOf(type)}"
        : null;

    /// <summary>An empty cache for one sequence.</summary>
    public KvCache CreateCache() => new(KvPool, Config.MaxPositionEmbeddings);

    /// <summary>Scratch memory for passes of up to <paramref name="maxRows"/> rows, of which up to
    /// <paramref name="maxLogitRows"/> get logits.</summary>
    public ForwardPass CreatePass(int maxRows = 128, int maxLogitRows = 32) => new(this, maxRows, maxLogitRows);

    /// <summary>Has the loops of passes compiled, one at each step: the first pass of so many rows would wait for them, 30 to 90 ms of a
    /// core. For idle moments; nothing is left to do in a program that was compiled ahead of time. Thread-safe.</summary>
    public IEnumerable<int> CompileLoops()
    {
        var kernels = Weights.Matrices.Select(matrix => Kernels.Matrix(matrix.Format)).Distinct().ToArray();
        for (var rows = 1; rows <= Kernels.MaxRows; rows++)
        {
            foreach (var kernel in kernels)
            {
                kernel.Compile(rows);
                yield return rows;
            }
        }
    }

    /// <summary>Frees weights, pages and threads. Passes and caches must not be used afterwards.</summary>
    public void Dispose()
    {
        Workers.Dispose();
        Weights.Dispose();
        KvPool.Dispose();
    }
}
