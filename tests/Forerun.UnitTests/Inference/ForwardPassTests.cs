using Forerun.Inference;

namespace Forerun.UnitTests.Inference;

public sealed class ForwardPassTests : IDisposable
{
    private readonly LanguageModel _model = TinyModels.Load("smollm-gqa-tied-q4_1");
    private readonly KvCache _cache;
    private readonly ForwardPass _pass;
    private readonly ForwardBatch _batch = new();

    public ForwardPassTests()
    {
        _cache = _model.CreateCache();
        _pass = _model.CreatePass(maxRows: 4, maxLogitRows: 2);
    }

    public void Dispose()
    {
        _pass.Dispose();
        _cache.Dispose();
        _model.Dispose();
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(5, 0)]
    [InlineData(3, 3)]
    public void Begin_TooFewOrTooManyRows_SaysWhatAPassTakes(int rows, int logitRows)
    {
        if (rows > 0)
        {
            _batch.Add(_cache, new int[rows], logitRows);
        }

        Assert.Equal(
            $"A pass takes 1 to 4 rows and up to 2 rows with logits; the batch has {rows} "
            + $"and {logitRows}. (Parameter 'batch')",
            Assert.Throws<ArgumentException>(() => _pass.Begin(_batch)).Message);
    }

    [Theory]
    [InlineData(640)]
    [InlineData(-1)]
    [InlineData(int.MaxValue)]
    public void Begin_TokenOutsideTheVocabulary_SaysWhatIsExpected(int token)
    {
        _batch.Add(_cache, [0, token], 0);
        Assert.Equal(
            $"Token {token} is outside the vocabulary: expected 0 to 639. (Parameter 'batch')",
            Assert.Throws<ArgumentException>(() => _pass.Begin(_batch)).Message);
        Assert.Equal(0, _cache.Length);
    }

    [Fact]
    public void RunHead_LayersMissing_SaysHowManyHaveRun()
    {
        _batch.Add(_cache, [1, 2], 1);
        _pass.Begin(_batch);
        _pass.RunLayers(3);
        Assert.Equal(
            "The head needs all 4 layers; 3 have run. Call RunLayers first.",
            Assert.Throws<InvalidOperationException>(_pass.RunHead).Message);
        Assert.Equal(
            "There are no logits yet: run the head first.",
            Assert.Throws<InvalidOperationException>(() => _pass.Logits(0).Length).Message);
    }

    [Fact]
    public void RunLayers_BackwardsOrTooFar_Throws()
    {
        _batch.Add(_cache, [1, 2], 1);
        _pass.Begin(_batch);
        _pass.RunLayers(2);
        Assert.Throws<ArgumentOutOfRangeException>(() => _pass.RunLayers(1));
        Assert.Throws<ArgumentOutOfRangeException>(() => _pass.RunLayers(5));
        Assert.Equal(2, _pass.LayersRun);
    }

    [Fact]
    public void Rows_OutsideTheBatch_Throw()
    {
        _batch.Add(_cache, [1, 2], 1);
        _pass.Run(_batch);
        Assert.Throws<ArgumentOutOfRangeException>(() => _pass.HiddenStates(2).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => _pass.HiddenStates(-1).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => _pass.Logits(1).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => _pass.Logits(-1).Length);
    }

    [Fact]
    public void Begin_PassNotFinished_ForgetsItAndTheCacheStays()
    {
        _batch.Add(_cache, [1, 2], 1);
        _pass.Begin(_batch);
        _pass.RunLayers(2);
        Assert.Equal(0, _cache.Length);
        _batch.Clear();
        _batch.Add(_cache, [3, 4], 1);

        _pass.Run(_batch);

        Assert.Equal(2, _cache.Length);
        Passes.AssertSameBits(_model.Score([3, 4], 1)[0], _pass.Logits(0), "the second pass");
    }

    [Fact]
    public void Add_NoTokens_SaysSo() => Assert.Equal(
        "A batch needs at least one token per sequence, got none. (Parameter 'tokens')",
        Assert.Throws<ArgumentException>(() => _batch.Add(_cache, [], 0)).Message);

    [Fact]
    public void Add_CacheTwice_SaysSo()
    {
        _batch.Add(_cache, [1], 1);
        Assert.Equal(
            "The cache is in this batch already: add its tokens in one call. (Parameter 'cache')",
            Assert.Throws<ArgumentException>(() => _batch.Add(_cache, [2], 1)).Message);
        Assert.Equal((1, 1), (_batch.RowCount, _batch.LogitRowCount));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(3)]
    public void Add_LogitRowsDoNotFit_Throws(int logitRows) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => _batch.Add(_cache, [1, 2], logitRows));
}
