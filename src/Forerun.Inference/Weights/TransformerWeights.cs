using Forerun.Inference.Execution;
using Forerun.Inference.Gguf;

namespace Forerun.Inference.Weights;

/// <summary>What one layer has learned.</summary>
internal sealed record LayerWeights(
    NativeBuffer AttentionNorm,
    WeightMatrix Query,
    WeightMatrix Key,
    WeightMatrix Value,
    WeightMatrix Output,
    NativeBuffer FeedForwardNorm,
    WeightMatrix Gate,
    WeightMatrix Up,
    WeightMatrix Down,
    NativeBuffer? QueryBias,
    NativeBuffer? KeyBias,
    NativeBuffer? ValueBias,
    NativeBuffer? QueryNorm,
    NativeBuffer? KeyNorm)
{
    /// <summary>The layer's matrices.</summary>
    public IEnumerable<WeightMatrix> Matrices => [Query, Key, Value, Output, Gate, Up, Down];

    /// <summary>The layer's vectors, null where the family has none.</summary>
    public IEnumerable<NativeBuffer?> Vectors =>
        [AttentionNorm, FeedForwardNorm, QueryBias, KeyBias, ValueBias, QueryNorm, KeyNorm];
}

/// <summary>All weights of a model, packed; immutable and thread-safe once loaded. Embedding rows stay in the
/// file: a pass reads one row per token.</summary>
internal sealed unsafe class TransformerWeights : IDisposable
{
    private static readonly string[] MatrixNames =
        ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"];

    private readonly GgufFile _file;
    private readonly GgufTensor _embedding;
    private readonly GgufTensor _head;
    private readonly WeightArena _arena;

    /// <summary>Loads and packs everything.</summary>
    public TransformerWeights(GgufFile file, ModelConfig config, WeightFormat format, WorkerPool workers)
    {
        _file = file;
        _embedding = file.Tensor("token_embd.weight");
        TensorDecoder.ThrowIfUnsupported(_embedding);
        var head = config.TieWordEmbeddings ? "token_embd.weight" : "output.weight";
        _arena = new WeightArena(ArenaBytes(file, config, head, format));
        var packer = new TilePacker(file, format, workers, _arena);

        _head = file.Tensor(head);

        // The largest matrix first: while it is packed, its pages of the file are resident too.
        Head = packer.Pack(head, rows: config.HeadRows);
        Layers = new LayerWeights[config.NumHiddenLayers];
        for (var i = 0; i < Layers.Length; i++)
        {
            Layers[i] = LoadLayer(packer, i, config);
        }

        FinalNorm = LoadVector("output_norm.weight");
        file.ReleaseAll();
    }

    /// <summary>Layers, first to last.</summary>
    public LayerWeights[] Layers { get; }

    /// <summary>The norm before the head.</summary>
    public NativeBuffer FinalNorm { get; }

    /// <summary>The LM head.</summary>
    public WeightMatrix Head { get; }

    /// <summary>Bytes that a decode step reads: every matrix once.</summary>
    public long BytesPerPass => Matrices.Sum(m => m.Bytes);

    /// <summary>Weights of every matrix.</summary>
    public long CountPerPass => Matrices.Sum(Count);

    /// <summary>The head and every layer's matrices.</summary>
    public IEnumerable<WeightMatrix> Matrices => Layers.SelectMany(l => l.Matrices).Prepend(Head);

    /// <summary>Bytes of an embedding row in the file.</summary>
    public int EmbeddingRowBytes => checked((int)_embedding.RowBytes);

    /// <summary>A token's embedding, <c>[hiddenSize]</c>, read from the file.</summary>
    /// <param name="token">A token id of the vocabulary.</param>
    /// <param name="scratch">At least <see cref="EmbeddingRowBytes"/>.</param>
    /// <param name="destination">Receives the row.</param>
    public void Embed(int token, Span<byte> scratch, Span<float> destination)
    {
        _file.ReadRow(_embedding, token, scratch);
        TensorDecoder.DecodeRow(_embedding.Type, scratch[..EmbeddingRowBytes], destination);
    }

    /// <summary>A token's row of the LM head as the file has it, <c>[hiddenSize]</c>. Allocates.</summary>
    public void HeadRow(int token, Span<float> destination)
    {
        var bytes = new byte[checked((int)_head.RowBytes)];
        _file.ReadRow(_head, token, bytes);
        TensorDecoder.DecodeRow(_head.Type, bytes, destination);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var layer in Layers)
        {
            foreach (var vector in layer.Vectors)
            {
                vector?.Dispose();
            }
        }

        FinalNorm.Dispose();
        _arena.Dispose();
        _file.Dispose();
    }

    /// <summary>The kernels want rotary pairs as element i and i + headDim / 2: which row of the file becomes which;
    /// null where the file has that order.</summary>
    private static Func<int, int>? RotaryOrder(ModelConfig config)
    {
        if (!config.Family.InterleavesRotaryPairs)
        {
            return null;
        }

        var headDim = config.HeadDim;
        var half = headDim / 2;
        return row =>
        {
            var (head, i) = (row / headDim, row % headDim);
            return (head * headDim) + (i < half ? 2 * i : (2 * (i - half)) + 1);
        };
    }

    private static long Count(WeightMatrix matrix) => (long)matrix.Rows * matrix.Columns;

    private static string Name(int layer, string tensor) => $"blk.{layer}.{tensor}.weight";

    private static long ArenaBytes(GgufFile file, ModelConfig config, string head, WeightFormat format)
    {
        var names = Enumerable.Range(0, config.NumHiddenLayers)
            .SelectMany(layer => MatrixNames.Select(name => Name(layer, name)));
        return names.Sum(name => TilePacker.LayoutOf(file.Tensor(name), format).ArenaBytes)
            + TilePacker.LayoutOf(file.Tensor(head), format, config.HeadRows).ArenaBytes;
    }

    private LayerWeights LoadLayer(TilePacker packer, int layer, ModelConfig config)
    {
        var order = RotaryOrder(config);
        var (hasBiases, hasNorm) = (config.Family.HasAttentionBiases, config.Family.HasQueryKeyNorm);
        return new LayerWeights(
            LoadVector(Name(layer, "attn_norm")),
            packer.Pack(Name(layer, "attn_q"), order),
            packer.Pack(Name(layer, "attn_k"), order),
            packer.Pack(Name(layer, "attn_v")),
            packer.Pack(Name(layer, "attn_output")),
            LoadVector(Name(layer, "ffn_norm")),
            packer.Pack(Name(layer, "ffn_gate")),
            packer.Pack(Name(layer, "ffn_up")),
            packer.Pack(Name(layer, "ffn_down")),
            hasBiases ? LoadVector($"blk.{layer}.attn_q.bias") : null,
            hasBiases ? LoadVector($"blk.{layer}.attn_k.bias") : null,
            hasBiases ? LoadVector($"blk.{layer}.attn_v.bias") : null,
            hasNorm ? LoadVector(Name(layer, "attn_q_norm")) : null,
            hasNorm ? LoadVector(Name(layer, "attn_k_norm")) : null);
    }

    private NativeBuffer LoadVector(string name)
    {
        var tensor = _file.Tensor(name);
        TensorDecoder.ThrowIfUnsupported(tensor);
        var vector = new NativeBuffer(4 * tensor.RowLength);
        TensorDecoder.DecodeRow(tensor.Type, _file.Row(tensor, 0), new Span<float>(vector.Floats, (int)tensor.RowLength));
        return vector;
    }
}
